import { expect, test } from 'vitest';
import { writeSafetensors } from '../../scripts/bundle/safetensors-writer.ts';
import { readSafetensors, type Tensor } from '../../src/bundle/safetensors.ts';

/** A file by the format's description alone: length, header, data. */
function fileOf(header: string, data: readonly number[], headerSize = header.length): Uint8Array {
  const file = new Uint8Array(8 + header.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerSize), true);
  file.set(new TextEncoder().encode(header), 8);
  file.set(data, 8 + header.length);
  return file;
}

const entry = (dtype: string, shape: readonly number[], ...offsets: readonly number[]) => ({
  dtype,
  shape,
  data_offsets: offsets,
});

test('reads tensors in the order of their data, whatever the header’s', () => {
  const header = { b: entry('U8', [3], 4, 7), __metadata__: { k: 'v' }, a: entry('F16', [2, 1], 0, 4) };
  const tensors = readSafetensors(fileOf(`${JSON.stringify(header)}  `, [1, 2, 3, 4, 5, 6, 7]), 'x');
  expect(tensors).toEqual([
    { name: 'a', dtype: 'F16', shape: [2, 1], data: new Uint8Array([1, 2, 3, 4]) },
    { name: 'b', dtype: 'U8', shape: [3], data: new Uint8Array([5, 6, 7]) },
  ]);
});

test('reads scalars and empty tensors', () => {
  const header = { scalar: entry('F32', [], 0, 4), empty: entry('F32', [0, 8], 0, 0) };
  const tensors = readSafetensors(fileOf(JSON.stringify(header), [0, 0, 128, 63]), 'x');
  expect(tensors.map(({ name, data }) => [name, data.length])).toEqual([
    ['empty', 0],
    ['scalar', 4],
  ]);
});

const one = { a: entry('U8', [4], 0, 4) };
test.each([
  ['nothing', new Uint8Array(7), /too short/],
  ['a header longer than the file', fileOf('{}', [], 3), /longer than the file/],
  ['a header longer than any file', new Uint8Array(8).fill(255), /longer than the file/],
  ['a header that is not JSON', fileOf('{"a":', []), /cannot be read/],
  ['a header that is not an object', fileOf('[]', []), /cannot be read/],
  ['a dtype nobody knows', fileOf(JSON.stringify({ a: entry('F13', [4], 0, 4) }), [1, 2, 3, 4]), /cannot be/],
  ['a negative size', fileOf(JSON.stringify({ a: entry('U8', [-4], 0, 4) }), [1, 2, 3, 4]), /cannot be/],
  ['data that is cut off', fileOf(JSON.stringify(one), [1, 2, 3]), /do not fill/],
  ['data that no tensor owns', fileOf(JSON.stringify(one), [1, 2, 3, 4, 5]), /do not fill/],
  [
    'a shape larger than the data',
    fileOf(JSON.stringify({ a: entry('F32', [4], 0, 4) }), [1, 2, 3, 4]),
    /shape/,
  ],
  [
    'an overlap',
    fileOf(JSON.stringify({ ...one, b: entry('U8', [2], 3, 5) }), [1, 2, 3, 4, 5]),
    /hole or an overlap before the tensor b/,
  ],
  [
    'a hole',
    fileOf(JSON.stringify({ ...one, b: entry('U8', [1], 5, 6) }), [1, 2, 3, 4, 5, 6]),
    /hole or an overlap before the tensor b/,
  ],
])('refuses %s', (_, file, why) => {
  expect(() => readSafetensors(file, 'model.safetensors')).toThrow(why);
  expect(() => readSafetensors(file, 'model.safetensors')).toThrow(/^model\.safetensors /);
});

test('the writer starts each tensor on the largest power of two, up to 16, that divides its length', () => {
  const tensor = (name: string, dtype: Tensor['dtype'], items: number, bytes: number): Tensor => ({
    name,
    dtype,
    shape: [items],
    data: new Uint8Array(bytes).fill(name.charCodeAt(0)),
  });
  const tensors = [
    tensor('odd', 'U8', 7, 7),
    tensor('two', 'F16', 3, 6),
    tensor('four', 'F32', 3, 12),
    tensor('sixteen', 'F32', 12, 48),
    tensor('eight', 'I64', 3, 24),
  ];
  const read = readSafetensors(writeSafetensors(tensors), 'x');
  expect(read.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual(
    tensors.toSorted((a, b) => a.name.localeCompare(b.name)),
  );
  expect(read.map(({ name, data }) => [name, data.byteOffset % 16])).toEqual([
    ['sixteen', 0],
    ['eight', 0],
    ['four', 8],
    ['two', 4],
    ['odd', 10],
  ]);
});
