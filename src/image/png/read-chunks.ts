/** What a stream gives next, valid until it is asked again; null at its end. */
export interface ChunkReader {
  read(): Promise<Uint8Array | null>;
  cancel(): Promise<void>;
}

const ROOM = 65_536;

/**
 * Reads into one buffer, over and over, where the stream can write to the reader's own (BYOB, in
 * workerd): otherwise workerd makes a buffer of 4 KiB for each read, and of a picture of 24 megapixels the
 * process kept 130 MB of them. Node's DecompressionStream cannot, and needs it less.
 */
export function readChunks(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ChunkReader {
  const reader = byobReader(stream);
  if (reader === null) {
    const plain = stream.getReader();
    return { read: async () => (await plain.read()).value ?? null, cancel: () => plain.cancel() };
  }
  let room = new ArrayBuffer(ROOM);
  return {
    async read() {
      const { value, done } = await reader.read(new Uint8Array(room));
      if (done) return null;
      room = value.buffer;
      return value;
    },
    cancel: () => reader.cancel(),
  };
}

function byobReader(stream: ReadableStream): ReadableStreamBYOBReader | null {
  try {
    return stream.getReader({ mode: 'byob' });
  } catch {
    return null;
  }
}
