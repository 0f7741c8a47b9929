import type { Tensor } from '../bundle/safetensors.ts';
import { GlimpseError } from '../errors.ts';
import { requireTensor, type TensorReader } from './tensor-reader.ts';

/** Some of a linear layer's outputs, as the bundle has them. */
export interface LinearPiece {
  readonly bits: 4 | 8;
  readonly rows: number;
  readonly q: Tensor; // 4 bits: [rows, ceil(in_features / 2)]; 8 bits: [rows, in_features]
  readonly scale: Tensor;
  readonly bias: Tensor | undefined;
}

interface LinearShape {
  readonly in_features: number;
  readonly out_features: number;
  readonly bias: boolean;
}

/**
 * The pieces of a layer in order. Most have one; one that is larger than a shard stands in the bundle as the
 * layers `name.0`, `name.1`, ...
 * @throws bundle_invalid where a tensor is absent or not of the layer's shape
 */
export async function* linearPieces(
  reader: TensorReader,
  name: string,
  { in_features, out_features, bias }: LinearShape,
): AsyncGenerator<LinearPiece, void> {
  let q = await reader.take([...quantised(name), ...quantised(`${name}.0`)]);
  const isCut = layerOf(q) !== name;
  let left = out_features;
  for (let next = 1; ; next++) {
    const rows = isCut ? Math.min(q.shape[0] ?? 0, left) : out_features;
    yield await readPiece(reader, q, rows, in_features, bias);
    left -= rows;
    if (left === 0) return;
    q = await reader.take(quantised(`${name}.${next}`));
  }
}

async function readPiece(
  reader: TensorReader,
  q: Tensor,
  rows: number,
  k: number,
  bias: boolean,
): Promise<LinearPiece> {
  const layer = layerOf(q);
  const bits = q.name.endsWith('.q4') ? 4 : 8;
  if (bits === 4) requireTensor(q, 'U8', [rows, Math.ceil(k / 2)]);
  else requireTensor({ ...q, shape: flattened(q.shape) }, 'I8', [rows, k]);
  if (rows % 8 !== 0) {
    throw new GlimpseError(
      'bundle_invalid',
      `${layer} has ${rows} outputs; the kernels take multiples of 8.`,
    );
  }
  const scale = await reader.take([`${layer}.weight.scale`]);
  if (bits === 4) requireTensor(scale, 'F16', [rows, Math.ceil(k / 32)]);
  else requireTensor(scale, 'F32', [rows]);
  if (!bias) return { bits, rows, q, scale, bias: undefined };
  const biases = await reader.take([`${layer}.bias`]);
  requireTensor(biases, 'F32', [rows]);
  return { bits, rows, q, scale, bias: biases };
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
