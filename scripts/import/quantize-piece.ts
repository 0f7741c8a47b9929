import type { Tensor } from '../../src/bundle/safetensors.ts';
import type { Calibration } from './calibrate/calibration.ts';
import { feedbackOf } from './calibrate/feedback.ts';
import { quantizeCalibrated } from './calibrate/quantize-calibrated.ts';
import type { Checkpoint, PublishedTensor } from './checkpoint.ts';
import { product, sourceOf } from './modules.ts';
import { slotsOf, type Piece } from './pieces.ts';
import { quantizeQ4, type Q4Rows, type QuantizationError } from './quantize-q4.ts';
import { quantizeQ8, type Q8Rows } from './quantize-q8.ts';

/** Reads the published values of a piece, a few rows at a time, and gives its tensors as the bundle has them. */
export interface Quantizer {
  /** @throws Error that names the tensor where a value is not finite, or too large */
  quantize(piece: Piece): readonly Tensor[];
  /** Over all 4-bit values so far. */
  readonly error: QuantizationError;
}

/** Values that are read at once. */
const CHUNK = 1 << 19;

type Round = (values: Float32Array, k: number) => Q4Rows | Q8Rows;

/**
 * @param tensors published tensors by their names in a bundle
 * @param calibration what layers are rounded for. Those that nothing came by are not, nor are embeddings: their
 * rows are looked up one by one.
 */
export function createQuantizer(
  checkpoint: Checkpoint,
  tensors: ReadonlyMap<string, PublishedTensor>,
  calibration?: Pick<Calibration, 'inputsOf'>,
): Quantizer {
  const error = { squared: 0, nearest: 0, total: 0 };

  const read = (name: string, from: number, count: number): Float32Array =>
    checkpoint.read(tensors.get(name)?.name ?? name, from, count);

  function roundingOf({ module, name, bits }: Piece): Round {
    if (bits !== 4) return quantizeQ8;
    const inputs = module.kind === 'linear' && !module.embedding ? calibration?.inputsOf(name) : undefined;
    if (inputs === undefined) return quantizeQ4;
    const feedback = feedbackOf(inputs);
    return (values, k) => quantizeCalibrated(values, k, feedback);
  }

  function weightsOf(piece: Piece, source: string, first: number): readonly Uint8Array[] {
    const inputs = product(piece.module.shape.slice(1));
    const [values, scales] = slotsOf(piece).map(({ bytes }) => new Uint8Array(bytes));
    if (values === undefined || scales === undefined) return [];
    const step = Math.max(1, Math.floor(CHUNK / inputs));
    const round = roundingOf(piece);
    for (let row = 0; row < piece.rows; row += step) {
      const rows = Math.min(step, piece.rows - row);
      const floats = read(source, (first + row) * inputs, rows * inputs);
      const chunk = round(floats, inputs);
      if ('error' in chunk) add(error, chunk.error);
      values.set(bytesOf(chunk.q), (values.length / piece.rows) * row);
      scales.set(bytesOf(chunk.scale), (scales.length / piece.rows) * row);
    }
    return [values, scales];
  }

  function dataOf(piece: Piece): readonly Uint8Array[] {
    const { module } = piece;
    if (module.kind === 'floats') return [bytesOf(read(module.name, 0, product(module.shape))).slice()];
    const { name, first } = sourceOf(module);
    const weights = weightsOf(piece, `${name}.weight`, first + piece.first);
    if (!module.bias) return weights;
    return [...weights, bytesOf(read(`${name}.bias`, first + piece.first, piece.rows)).slice()];
  }

  return {
    error,
    quantize(piece) {
      try {
        const data = dataOf(piece);
        return slotsOf(piece).map(({ name, dtype, shape }, i) => {
          return { name, dtype, shape, data: data[i] ?? new Uint8Array() };
        });
      } catch (cause) {
        if (cause instanceof RangeError) throw new Error(`${piece.name}: ${cause.message}`, { cause });
        throw cause;
      }
    },
  };
}

function add(sum: { -readonly [K in keyof QuantizationError]: number }, more: QuantizationError): void {
  sum.squared += more.squared;
  sum.nearest += more.nearest;
  sum.total += more.total;
}

function bytesOf(values: Uint8Array | Int8Array | Uint16Array | Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
