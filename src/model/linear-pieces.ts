import type { DType, Tensor } from '../bundle/safetensors.ts';
import { GlimpseError } from '../errors.ts';
import type { WasmMemory } from '../kernels/memory.ts';
import { createRoom, type Room } from '../kernels/room.ts';
import { requireTensor, type TensorReader } from './tensor-reader.ts';

/** Some of a linear layer's outputs as the bundle has them: addresses, valid until the next piece is asked for. */
export interface LinearPiece {
  readonly bits: 4 | 8;
  readonly rows: number;
  readonly q: number; // 4 bits: uint8 [rows, ceil(in_features / 2)]; 8 bits: int8 [rows, in_features]
  readonly scale: number; // 4 bits: float16 [rows, ceil(in_features / 32)]; 8 bits: float32 [rows]
  readonly bias: number; // float32 [rows], or 0
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
  memory: WasmMemory,
  name: string,
  { in_features, out_features, bias }: LinearShape,
): AsyncGenerator<LinearPiece, void> {
  let q = await reader.take([...quantised(name), ...quantised(`${name}.0`)]);
  const isCut = layerOf(q) !== name;
  let left = out_features;
  for (let next = 1; ; next++) {
    const rows = isCut ? Math.min(q.shape[0] ?? 0, left) : out_features;
    const room = createRoom(memory);
    try {
      yield await readPiece(reader, room, q, rows, in_features, bias);
    } finally {
      room.release();
    }
    left -= rows;
    if (left === 0) return;
    q = await reader.take(quantised(`${name}.${next}`));
  }
}

async function readPiece(
  reader: TensorReader,
  room: Room,
  tensor: Tensor,
  rows: number,
  k: number,
  bias: boolean,
): Promise<LinearPiece> {
  const layer = layerOf(tensor);
  const bits = tensor.name.endsWith('.q4') ? 4 : 8;
  const next = async (name: string, dtype: DType, shape: readonly number[]): Promise<number> => {
    const tensor = await reader.take([name]);
    requireTensor(tensor, dtype, shape);
    return room.put(tensor.data);
  };
  if (bits === 4) requireTensor(tensor, 'U8', [rows, Math.ceil(k / 2)]);
  else requireTensor({ ...tensor, shape: flattened(tensor.shape) }, 'I8', [rows, k]);
  if (rows % 8 !== 0) {
    throw new GlimpseError(
      'bundle_invalid',
      `${layer} has ${rows} outputs; the kernels take multiples of 8.`,
    );
  }
  return {
    bits,
    rows,
    q: room.put(tensor.data),
    scale: await (bits === 4
      ? next(`${layer}.weight.scale`, 'F16', [rows, Math.ceil(k / 32)])
      : next(`${layer}.weight.scale`, 'F32', [rows])),
    bias: bias ? await next(`${layer}.bias`, 'F32', [rows]) : 0,
  };
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
