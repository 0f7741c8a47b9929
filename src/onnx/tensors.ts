import { GlimpseError } from '../errors.ts';
import type { GraphInput, Runtime, Tensor } from './runtime.ts';

/** An int64 tensor. */
export function integers({ Tensor }: Runtime, values: readonly number[], dims: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
}

/** A bool tensor with the same value everywhere. */
export function booleans({ Tensor }: Runtime, value: boolean, dims: readonly number[]): Tensor {
  const length = dims.reduce((product, size) => product * size, 1);
  return new Tensor('bool', new Uint8Array(length).fill(Number(value)), dims);
}

/** Keys or values of no positions: a batch of one, and nothing where a dimension is free. */
export function empty({ Tensor }: Runtime, { type, shape }: GraphInput): Tensor {
  const dims = shape.map((size, axis) => (typeof size === 'number' ? size : axis === 0 ? 1 : 0));
  return type === 'float16'
    ? new Tensor(type, new Uint16Array(0), dims)
    : new Tensor('float32', new Float32Array(0), dims);
}

/** @throws GlimpseError bundle_invalid where a graph gives no float32 tensor of that name */
export function floats(outputs: Readonly<Record<string, Tensor>>, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  const type = outputs[name]?.type ?? 'nothing';
  throw new GlimpseError(
    'bundle_invalid',
    `A graph gives ${type} as ${name}, not float32. Import another dtype of the model.`,
  );
}

/** All parts one behind the other. */
export function concatenated(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Tensors of one kind in a batch. // each [batch, ...] */
export function joined({ Tensor }: Runtime, tensors: readonly [Tensor, ...Tensor[]]): Tensor {
  const [first] = tensors;
  if (tensors.length === 1) return first;
  const parts = tensors.map(({ data }) => numbersOf(data));
  const bytes = parts.map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  const whole = new Uint8Array(bytes.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of bytes) {
    whole.set(part, at);
    at += part.length;
  }
  const Data = numbersOf(first.data).constructor as new (buffer: ArrayBuffer) => Float32Array;
  const [, ...dims] = first.dims;
  const batch = tensors.reduce((sum, { dims: [size = 1] }) => sum + size, 0);
  return new Tensor(first.type as 'float32', new Data(whole.buffer), [batch, ...dims]);
}

/** One of a batch. The data is shared. */
export function oneOf({ Tensor }: Runtime, tensor: Tensor, index: number): Tensor {
  const [batch = 1, ...dims] = tensor.dims;
  if (batch === 1) return tensor;
  const data = numbersOf(tensor.data);
  const size = data.length / batch;
  const own = data.subarray(index * size, (index + 1) * size) as Float32Array;
  return new Tensor(tensor.type as 'float32', own, [1, ...dims]);
}

function numbersOf(data: Tensor['data']): Exclude<Tensor['data'], string[]> {
  if (Array.isArray(data)) throw new TypeError('a tensor of strings');
  return data;
}
