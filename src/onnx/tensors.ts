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
