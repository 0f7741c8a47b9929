import { invalidImage } from '../errors.ts';
import { readChunks, type ChunkReader } from './read-chunks.ts';

/** Bytes handed to the inflater at a time: what they may swell to (about a thousandfold) stays small. */
const SLICE = 4096;

/**
 * Inflates a PNG's data in parts of exactly `sizes` bytes, each valid until the next is asked for. The
 * platform's inflater works as a stream and checks zlib's Adler-32; a picture's data is never held whole. Data beyond the last part is an
 * error and is not inflated.
 */
export async function* inflateParts(
  data: Iterable<Uint8Array>,
  sizes: Iterable<number>,
): AsyncGenerator<Uint8Array, undefined> {
  const { readable, writable } = new DecompressionStream('deflate');
  const reader = readChunks(readable);
  const writer = writable.getWriter();
  feed(writer, data).catch(() => undefined); // the reader hears of it too
  try {
    let buffer = new Uint8Array(0);
    let chunk: Uint8Array = new Uint8Array(0);
    for (const size of sizes) {
      if (buffer.length < size) buffer = new Uint8Array(size);
      const part = buffer.subarray(0, size);
      for (let filled = 0; filled < size;) {
        if (chunk.length === 0) chunk = await nextChunk(reader);
        const taken = chunk.subarray(0, size - filled);
        part.set(taken, filled);
        filled += taken.length;
        chunk = chunk.subarray(taken.length);
      }
      yield part;
    }
    if (chunk.length > 0 || (await read(reader)) !== null) {
      throw invalidImage('The PNG is damaged (it holds more data than its size asks for).');
    }
    return undefined;
  } finally {
    await Promise.allSettled([reader.cancel(), writer.abort()]);
  }
}

/** Written slice by slice, each when the one before was taken: a pipe would queue the whole file. */
async function feed(
  writer: WritableStreamDefaultWriter<BufferSource>,
  data: Iterable<Uint8Array>,
): Promise<void> {
  for (const slice of slicesOf(data)) await writer.write(slice);
  await writer.close();
}

/** The same bytes in slices of one size: a file may bring them one by one. */
function* slicesOf(data: Iterable<Uint8Array>): Generator<Uint8Array<ArrayBuffer>> {
  let slice = new Uint8Array(SLICE);
  let size = 0;
  for (const part of data) {
    for (let at = 0; at < part.length;) {
      const taken = part.subarray(at, at + SLICE - size);
      slice.set(taken, size);
      at += taken.length;
      size += taken.length;
      if (size < SLICE) continue;
      yield slice;
      slice = new Uint8Array(SLICE);
      size = 0;
    }
  }
  if (size > 0) yield slice.subarray(0, size);
}

async function nextChunk(reader: ChunkReader): Promise<Uint8Array> {
  const chunk = await read(reader);
  if (chunk === null) throw invalidImage('The PNG is cut short: it holds less data than its size asks for.');
  return chunk;
}

async function read(reader: ChunkReader): Promise<Uint8Array | null> {
  try {
    return await reader.read();
  } catch (cause) {
    throw invalidImage('The PNG is damaged (its compressed data does not inflate).', cause);
  }
}
