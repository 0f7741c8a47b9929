import type { DType } from '../../src/bundle/safetensors.ts';
import { shardCapacity } from '../bundle/shards.ts';
import { product, type Module } from './modules.ts';

/** Rows of a module that stand in one shard. Most modules are one piece. */
export interface Piece {
  readonly module: Module;
  /** The module's own, or with `.0`, `.1`, ... where it is cut. */
  readonly name: string;
  /** 32: floats. */
  readonly bits: 4 | 8 | 32;
  readonly first: number;
  readonly rows: number;
}

/** A tensor of a bundle, its data still to come. */
export interface TensorSlot {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: number;
}

const TENSORS_OF_A_LINEAR = 3; // values, scales, bias
/** The kernels work on tiles of as many outputs. */
const TILE = 8;

/**
 * A linear layer that is larger than a shard is cut by rows into layers NAME.0, NAME.1, ...: one behind the
 * other they are the layer.
 * @throws Error where a module has no place in a bundle
 */
export function piecesOf(module: Module, bits: 4 | 8): readonly Piece[] {
  const rows = module.shape[0] ?? 1;
  if (module.kind !== 'linear') {
    const piece = {
      module,
      name: module.name,
      bits: module.kind === 'floats' ? 32 : 8,
      first: 0,
      rows,
    } as const;
    if (bytesOf(piece) <= shardCapacity(TENSORS_OF_A_LINEAR)) return [piece];
    throw new Error(`${module.name} [${module.shape.join()}] is larger than a shard, and cannot be cut.`);
  }
  if (rows % TILE !== 0 && !module.per_token) {
    throw new Error(`${module.name} has ${rows} outputs; the kernels take multiples of ${TILE}.`);
  }
  const tile = bytesOf({ module, name: module.name, bits, first: 0, rows: TILE });
  const most = module.piece_rows ?? TILE * Math.floor(shardCapacity(TENSORS_OF_A_LINEAR) / tile);
  if (rows <= most) return [{ module, name: module.name, bits, first: 0, rows }];
  return Array.from({ length: Math.ceil(rows / most) }, (_, i) => ({
    ...{ module, bits, name: `${module.name}.${i}`, first: i * most },
    rows: Math.min(most, rows - i * most),
  }));
}

export function bytesOf(piece: Piece): number {
  return slotsOf(piece).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** The tensors of a piece, in the order in which they are computed. */
export function slotsOf({ module, name, bits, rows }: Piece): readonly TensorSlot[] {
  if (module.kind === 'floats') return [slot(name, 'F32', module.shape, 4)];
  const inputs = product(module.shape.slice(1));
  const weights =
    bits === 4
      ? [
          slot(`${name}.weight.q4`, 'U8', [rows, Math.ceil(inputs / 2)], 1),
          slot(`${name}.weight.scale`, 'F16', [rows, Math.ceil(inputs / 32)], 2),
        ]
      : [
          slot(`${name}.weight.q8`, 'I8', module.kind === 'convolution' ? module.shape : [rows, inputs], 1),
          slot(`${name}.weight.scale`, 'F32', [rows], 4),
        ];
  return module.bias ? [...weights, slot(`${name}.bias`, 'F32', [rows], 4)] : weights;
}

function slot(name: string, dtype: DType, shape: readonly number[], itemSize: number): TensorSlot {
  return { name, dtype, shape, bytes: product(shape) * itemSize };
}
