import type { Tensor } from '../bundle/safetensors.ts';
import { GlimpseError } from '../errors.ts';
import type { Engine, Linear } from '../kernels/engine.ts';
import { createRoom } from '../kernels/room.ts';
import { filledRows, withFilledRows } from './filled-rows.ts';
import { linearPieces, type LinearPiece } from './linear-pieces.ts';
import { createTensorReader, requireTensor } from './tensor-reader.ts';

/**
 * The tensors of one part of a model, moved one by one into the kernels' memory in the order kernels read.
 * Who asks for them in the bundle's order has no more of it in JavaScript's heap than one shard.
 */
export interface Weights {
  /** As torch.nn.Linear: `name.weight` in 4 or 8 bits, and `name.bias`. */
  linear(name: string, in_features: number, out_features: number, bias?: boolean): Promise<Linear>;
  /**
   * A layer without biases whose outputs are tokens, of which there may be any number: the kernels take
   * multiples of 8, so outputs that are always 0 are put behind them.
   */
  table(name: string, in_features: number, tokens: number): Promise<Linear>;
  /** Layers of one input as one product, outputs one behind the other: of the same bits, with biases all or none. */
  fused(
    names: readonly string[],
    in_features: number,
    out_features: readonly number[],
    bias?: boolean,
  ): Promise<Linear>;
  /** A float32 tensor as it stands. @returns its address */
  floats(name: string, length: number): Promise<number>;
  /**
   * An 8-bit convolution as float32, its input channels, kernel rows and columns before its outputs:
   * [channels, kernel, kernel, out]. Convolutions are few and small; products are where 4 bits count.
   */
  convolution(name: string, shape: readonly [out: number, channels: number, kernel: number]): Promise<number>;
  /** Gives back the memory of all that was taken. */
  release(): void;
}

/**
 * @param tensors those of the part, such as `bundle.tensors` gives them
 * @throws bundle_invalid where a tensor is absent or not of the dtype and shape that the configuration asks for
 */
export function createWeights({ memory, kernels }: Engine, tensors: AsyncIterable<Tensor>): Weights {
  const room = createRoom(memory);
  const reader = createTensorReader(tensors);

  async function takeFloats(name: string, length: number): Promise<Uint8Array> {
    const tensor = await reader.take([name]);
    const elements = tensor.shape.reduce((a, b) => a * b, 1);
    requireTensor(tensor, 'F32', elements === length ? tensor.shape : [length]);
    return tensor.data;
  }

  async function takeScales({ name, bits, rows }: LinearPiece, k: number): Promise<Uint8Array> {
    if (bits === 8) return takeFloats(`${name}.weight.scale`, rows);
    const tensor = await reader.take([`${name}.weight.scale`]);
    requireTensor(tensor, 'F16', [rows, Math.ceil(k / 32)]);
    return tensor.data;
  }

  async function pack(piece: LinearPiece, k: number, out: number): Promise<void> {
    const temporary = createRoom(memory);
    try {
      const rows = filledRows(piece.rows);
      const q = temporary.put(withFilledRows(piece.q.data, piece.rows));
      const scale = temporary.put(withFilledRows(await takeScales(piece, k), piece.rows));
      if (piece.bits === 4) kernels.pack_q4(q, scale, out, rows, k);
      else kernels.pack_q8(q, scale, out, rows, k);
    } finally {
      temporary.release();
    }
  }

  async function product(
    names: readonly string[],
    in_features: number,
    outs: readonly number[],
    bias: boolean,
  ): Promise<Linear> {
    const out_features = filledRows(outs.reduce((a, b) => a + b, 0));
    const biases = bias ? room.alloc(4 * out_features) : 0;
    let packed: { readonly bits: 4 | 8; readonly weight: number } | undefined;
    let row = 0;
    for (const [i, name] of names.entries()) {
      for await (const piece of linearPieces(reader, name, in_features, outs[i] ?? 0)) {
        if (row % 8 !== 0) throw notOfTiles(names.join(', '), row); // only the last may need filling up
        const bytes = (rows: number): number => packedBytes(piece.bits, rows, in_features);
        packed ??= { bits: piece.bits, weight: room.alloc(bytes(out_features)) };
        if (piece.bits !== packed.bits) {
          throw new GlimpseError(
            'bundle_invalid',
            `${names.join(', ')} are one product: quantise all in as many bits.`,
          );
        }
        await pack(piece, in_features, packed.weight + bytes(row));
        if (bias) {
          const values = await takeFloats(`${piece.name}.bias`, piece.rows);
          memory.u8(biases + 4 * row, 4 * piece.rows).set(values);
        }
        row += piece.rows;
      }
    }
    if (packed === undefined) throw new Error('a product of no layers');
    return { ...packed, in_features, out_features, bias: biases };
  }

  const fused: Weights['fused'] = async (names, in_features, outs, bias = true) => {
    for (const [i, out] of outs.entries()) if (out % 8 !== 0) throw notOfTiles(names[i] ?? '', out);
    return product(names, in_features, outs, bias);
  };

  return {
    fused,
    table: (name, in_features, tokens) => product([name], in_features, [tokens], false),
    linear: (name, in_features, out_features, bias) => fused([name], in_features, [out_features], bias),
    floats: async (name, length) => room.put(await takeFloats(name, length)),
    async convolution(name, [out, channels, kernel]) {
      const q8 = await reader.take([`${name}.weight.q8`]);
      requireTensor(q8, 'I8', [out, channels, kernel, kernel]);
      const q = new Int8Array(q8.data); // copied: the scales come behind it
      const scale = float32View(await takeFloats(`${name}.weight.scale`, out));
      const inputs = channels * kernel * kernel;
      const weight = room.alloc(4 * out * inputs);
      const view = memory.f32(weight, out * inputs);
      for (let o = 0; o < out; o++) {
        for (let i = 0; i < inputs; i++) view[i * out + o] = (q[o * inputs + i] ?? 0) * (scale[o] ?? 0);
      }
      return weight;
    },
    release: () => room.release(),
  };
}

function notOfTiles(name: string, outputs: number): GlimpseError {
  return new GlimpseError(
    'bundle_invalid',
    `${name} has ${outputs} outputs; the kernels take multiples of 8.`,
  );
}

/** Of the first `rows` outputs of a packed layer (kernels/assembly/pack.ts); rows % 8 == 0. */
function packedBytes(bits: 4 | 8, rows: number, in_features: number): number {
  const blocks = Math.ceil(in_features / 32);
  return (rows / 8) * (bits === 4 ? 144 * blocks : 32 + 256 * blocks);
}

/** Copied: a tensor's bytes need not be aligned. */
function float32View(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}
