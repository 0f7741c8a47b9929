import type { CacheKey } from './cache-key.ts';
import { sha256 } from './sha256.ts';

/** What is cached of an image: what the decoder reads and what a classifier does. Shared, so never written to. */
export interface CachedEmbeds {
  readonly data: Float32Array; // [tokens, hidden]
  readonly shape: readonly [tokens: number, hidden: number];
  readonly pooler_output: Float32Array; // [features]
}

const DIGEST = 32; // bytes of SHA-256
const SIZES = 12; // tokens, hidden and features, three little-endian uint32
const HEADER = DIGEST + SIZES;
const FLOAT = 4; // bytes

/** Digest of key and content, sizes, then the Float32 values of both: all little-endian. */
export async function encodeEntry(key: CacheKey, embeds: CachedEmbeds): Promise<Uint8Array<ArrayBuffer>> {
  const { data, shape, pooler_output } = embeds;
  const bytes = new Uint8Array(HEADER + (data.length + pooler_output.length) * FLOAT);
  const view = new DataView(bytes.buffer);
  const sizes = [...shape, pooler_output.length];
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
  const shape = [view.getUint32(DIGEST, true), view.getUint32(DIGEST + 4, true)] as const;
  const length = shape[0] * shape[1];
  const features = view.getUint32(DIGEST + 8, true);
  if (length === 0 || bytes.length !== HEADER + (length + features) * FLOAT) return undefined;
  const read = (length: number, at: number): Float32Array =>
    Float32Array.from({ length }, (_, index) => view.getFloat32(at + index * FLOAT, true));
  return { data: read(length, HEADER), shape, pooler_output: read(features, HEADER + length * FLOAT) };
}

/** The key is part of it, so that an entry stored under another key does not pass. */
async function digest(key: CacheKey, content: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const name = new TextEncoder().encode(`glimpse image_embeds ${key}\n`);
  const bytes = new Uint8Array(name.length + content.length);
  bytes.set(name);
  bytes.set(content, name.length);
  return sha256(bytes);
}
