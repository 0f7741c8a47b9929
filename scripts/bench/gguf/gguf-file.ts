/** A GGUF file, version 3: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. No npm package writes it. */

export type GgufValue =
  | { readonly type: 'u32' | 'f32'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'i32s'; readonly value: readonly number[] }
  | { readonly type: 'strings'; readonly value: readonly string[] };

export interface GgufTensor {
  readonly name: string;
  /** Row-major as elsewhere; the file has them in reverse. */
  readonly shape: readonly number[];
  readonly type: keyof typeof TENSOR_TYPES;
  readonly data: Uint8Array;
}

const TENSOR_TYPES = { F32: 0, Q4_0: 2 };
const TYPES = { u32: 4, i32: 5, f32: 6, string: 8, array: 9 };
const ALIGNMENT = 32;

export function writeGguf(
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const put = (bytes: Uint8Array): void => {
    parts.push(bytes);
    length += bytes.length;
  };
  const align = (): void => put(new Uint8Array(padding(length)));

  put(Buffer.from('GGUF'));
  put(u32(3));
  put(u64(tensors.length));
  put(u64(Object.keys(metadata).length));
  for (const [key, value] of Object.entries(metadata)) {
    put(text(key));
    put(valueBytes(value));
  }
  let offset = 0;
  for (const { name, shape, type, data } of tensors) {
    const dimensions = shape.toReversed().map(u64);
    put(Buffer.concat([text(name), u32(shape.length), ...dimensions, u32(TENSOR_TYPES[type]), u64(offset)]));
    offset += data.length + padding(data.length);
  }
  align();
  for (const { data } of tensors) {
    put(data);
    align();
  }
  return new Uint8Array(Buffer.concat(parts));
}

function valueBytes(value: GgufValue): Uint8Array {
  switch (value.type) {
    case 'u32':
      return Buffer.concat([u32(TYPES.u32), u32(value.value)]);
    case 'f32':
      return Buffer.concat([u32(TYPES.f32), new Uint8Array(Float32Array.of(value.value).buffer)]);
    case 'string':
      return Buffer.concat([u32(TYPES.string), text(value.value)]);
    case 'i32s':
      return array(TYPES.i32, value.value.map(u32));
    case 'strings':
      return array(TYPES.string, value.value.map(text));
  }
}

function array(type: number, items: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([u32(TYPES.array), u32(type), u64(items.length), ...items]);
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
const u64 = (value: number): Uint8Array => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
const padding = (length: number): number => (ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT;
