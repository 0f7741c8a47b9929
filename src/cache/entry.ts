import type { CacheKey } from './cache-key.ts';
import { sha256 } from './sha256.ts';

/** What is cached of an image: what the decoder reads and what a classifier does. Shared, so never written to. */
export interface CachedEmbeds {
  readonly data: Float32Array; // [tokens, hidden]
  readonly shape: readonly [tokens: number, hidden: number];
  readonly grid: readonly [rows: number, columns: number];
  readonly pooler_output: Float32Array; // [features]
}

const DIGEST = 32; // bytes of SHA-256
const SIZES = 20; // tokens, hidden, rows, columns and features, five little-endian uint32
const HEADER = DIGEST + SIZES;
const FLOAT = 4; // bytes

/** Digest of key and content, sizes, then the Float32 values of both: all little-endian. */
export async function encodeEntry(key: CacheKey, embeds: CachedEmbeds): Promise<Uint8Array<ArrayBuffer>> {
  const { data, shape, grid, pooler_output } = embeds;
  const bytes = new Uint8Array(HEADER + (data.length + pooler_output.length) * FLOAT);
  const view = new DataView(bytes.buffer);
  const sizes = [...shape, ...grid, pooler_output.length];
  sizes.forEach((size, index) => view.setUint32(DIGEST + index * 4, size, true));
  const write = (values: Float32Array, at: number): void =>
    values.forEach((value, index) => view.setFloat32(at + index * FLOAT, value, true));
  write(data, HEADER);
  write(pooler_output, HEADER + data.length * FLOAT);
  bytes.set(await digest(key, bytes.subarray(DIGEST)));
  return bytes;
}

/** @returns undefined for what is short, damaged, of another key or of an impossible shape: a miss. */
export async function decodeEntry(
  key: CacheKey,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<CachedEmbeds | undefined> {
  if (bytes.length < HEADER) return undefined;
  const expected = await digest(key, bytes.subarray(DIGEST));
  if (expected.some((byte, index) => byte !== bytes[index])) return undefined;

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = (index: number): number => view.getUint32(DIGEST + index * 4, true);
  const shape = [size(0), size(1)] as const;
  const length = shape[0] * shape[1];
  const grid = [size(2), size(3)] as const;
  const features = size(4);
  if (length === 0 || bytes.length !== HEADER + (length + features) * FLOAT) return undefined;
  const read = (length: number, at: number): Float32Array =>
    Float32Array.from({ length }, (_, index) => view.getFloat32(at + index * FLOAT, true));
  return {
    data: read(length, HEADER),
    ...{ shape, grid },
    pooler_output: read(features, HEADER + length * FLOAT),
  };
}

/** The key and the format are part of it, so that an entry stored under another key or in an older form does not pass. */
async function digest(key: CacheKey, content: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const name = new TextEncoder().encode(`glimpse image_embeds with grid ${key}\n`);
  const bytes = new Uint8Array(name.length + content.length);
  bytes.set(name);
  bytes.set(content, name.length);
  return sha256(bytes);
}
