import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { decodeEntry, encodeEntry } from '../../src/cache/entry.ts';

const key = 'ab'.repeat(32);
const embeds = {
  data: Float32Array.of(1.5, -0, NaN, Infinity, 1e-45, -3.4e38),
  shape: [2, 3],
  grid: [3, 4],
  pooler_output: Float32Array.of(0.25, -7),
} as const;

test('what is encoded is decoded to the bit', async () => {
  const decoded = await decodeEntry(key, await encodeEntry(key, embeds));
  expect(decoded?.shape).toEqual([2, 3]);
  expect(decoded?.grid).toEqual([3, 4]);
  expect(new Uint32Array(decoded?.data.buffer ?? new ArrayBuffer())).toEqual(
    new Uint32Array(embeds.data.buffer),
  );
  expect(decoded?.pooler_output).toEqual(embeds.pooler_output);
});

test('the bytes are the digest, the sizes and little-endian floats', async () => {
  const small = {
    data: Float32Array.of(1),
    shape: [1, 1],
    grid: [2, 5],
    pooler_output: Float32Array.of(-2),
  } as const;
  const entry = Buffer.from(await encodeEntry(key, small));
  expect(entry.subarray(32).toString('hex')).toBe(
    '01000000' + '01000000' + '02000000' + '05000000' + '01000000' + '0000803f' + '000000c0',
  );
  const digest = createHash('sha256')
    .update(`glimpse image_embeds with grid ${key}\n`)
    .update(entry.subarray(32))
    .digest('hex');
  expect(entry.subarray(0, 32).toString('hex')).toBe(digest);
});

test('an entry that lies in the midst of a larger buffer is read', async () => {
  const entry = await encodeEntry(key, embeds);
  const larger = new Uint8Array(entry.length + 5);
  larger.set(entry, 3);
  expect((await decodeEntry(key, larger.subarray(3, 3 + entry.length)))?.shape).toEqual([2, 3]);
});

test('every flipped bit and every shorter length is a miss', async () => {
  const entry = await encodeEntry(key, embeds);
  for (let bit = 0; bit < entry.length * 8; bit++) {
    const damaged = entry.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(await decodeEntry(key, damaged)).toBeUndefined();
  }
  for (let length = 0; length < entry.length; length++) {
    expect(await decodeEntry(key, entry.slice(0, length))).toBeUndefined();
  }
});

test('a sound entry of another key is a miss', async () => {
  expect(await decodeEntry('cd'.repeat(32), await encodeEntry(key, embeds))).toBeUndefined();
});

test.each([
  [2, 4],
  [0, 0],
  [3, 2 ** 32 - 1],
])(
  'a shape of %i by %i that does not fit its values is a miss, though the digest is right',
  async (...shape) => {
    expect(await decodeEntry(key, await encodeEntry(key, { ...embeds, shape }))).toBeUndefined();
  },
);
