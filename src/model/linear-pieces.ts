import type { Tensor } from '../bundle/safetensors.ts';
import { requireTensor, type TensorReader } from './tensor-reader.ts';

/** Some of a linear layer's outputs as the bundle has them: a layer of its own, named `name`. */
export interface LinearPiece {
  readonly name: string;
  readonly bits: 4 | 8;
  readonly rows: number;
  /** Its values, valid until the next tensor is taken; scales and biases are still to be taken. */
  readonly q: Tensor; // 4 bits: uint8 [rows, ceil(in_features / 2)]; 8 bits: int8 [rows, in_features]
}

/**
 * The pieces of a layer in order. Most have one; one that is larger than a shard stands in the bundle as the
 * layers `name.0`, `name.1`, ...
 * @throws bundle_invalid where a tensor is absent or not of the layer's shape
 */
export async function* linearPieces(
  reader: TensorReader,
  name: string,
  in_features: number,
  out_features: number,
): AsyncGenerator<LinearPiece, void> {
  let q = await reader.take([...quantised(name), ...quantised(`${name}.0`)]);
  const isCut = layerOf(q) !== name;
  let left = out_features;
  for (let next = 1; ; next++) {
    const rows = isCut ? Math.min(q.shape[0] ?? 0, left) : out_features;
    yield pieceOf(q, rows, in_features);
    left -= rows;
    if (left === 0) return;
    q = await reader.take(quantised(`${name}.${next}`));
  }
}

function pieceOf(q: Tensor, rows: number, k: number): LinearPiece {
  const name = layerOf(q);
  const bits = q.name.endsWith('.q4') ? 4 : 8;
  if (bits === 4) requireTensor(q, 'U8', [rows, Math.ceil(k / 2)]);
  else requireTensor({ ...q, shape: flattened(q.shape) }, 'I8', [rows, k]);
  return { name, bits, rows, q };
}

function quantised(layer: string): [string, string] {
  return [`${layer}.weight.q4`, `${layer}.weight.q8`];
}

function layerOf({ name }: Tensor): string {
  return name.slice(0, -'.weight.q4'.length);
}

/** A 1x1 convolution is a product, whatever it is called. */
function flattened([out = 0, ...inputs]: readonly number[]): readonly number[] {
  return [out, inputs.reduce((a, b) => a * b, 1)];
}
