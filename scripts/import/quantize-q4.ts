import { halfToFloat } from '../../src/kernels/reference.ts';
import { toHalf } from './floats.ts';
import { BLOCK, errorOf, largestOf, LEVELS, stepOf } from './q4-block.ts';

/** Rows of a matrix in the bundle's 4 bits: value = (nibble - 8) * scale. */
export interface Q4Rows {
  /** The even input in the low nibble. */
  readonly q: Uint8Array; // [rows, ceil(k / 2)]
  /** float16, of a block of 32 inputs; negative where the value of largest magnitude is positive and stands on -8. */
  readonly scale: Uint16Array; // [rows, ceil(k / 32)]
  readonly error: QuantizationError;
}

/** Sums over values: of squared errors, of the squares themselves. */
export interface QuantizationError {
  /** As written. */
  readonly squared: number;
  /** Of rounding to the nearest step of the scale that puts each block's largest magnitude on -8 (GGUF's Q4_0). */
  readonly nearest: number;
  readonly total: number;
}

/**
 * Loops count by hand: iterators and callbacks would box a number a weight.
 * @param values [rows, k], finite
 * @throws RangeError where a value is past 8 times float16's largest
 */
export function quantizeQ4(values: Float32Array, k: number): Q4Rows {
  const rows = values.length / k;
  const blocks = Math.ceil(k / BLOCK);
  const rowBytes = Math.ceil(k / 2);
  const q = new Uint8Array(rows * rowBytes);
  const scale = new Uint16Array(rows * blocks);
  const block = new Float64Array(BLOCK); // zero past a row's end: adds no error, and is packed as none
  const error = { squared: 0, nearest: 0, total: 0 };
  for (let row = 0; row < rows; row++) {
    for (let b = 0; b < blocks; b++) {
      const from = row * k + b * BLOCK;
      const length = Math.min(BLOCK, k - b * BLOCK);
      for (let i = 0; i < BLOCK; i++) block[i] = i < length ? (values[from + i] ?? 0) : 0;
      const half = searchScale(block, error);
      scale[row * blocks + b] = half;
      pack(block, halfToFloat(half), q, row * rowBytes + (b * BLOCK) / 2, Math.ceil(length / 2));
    }
  }
  return { q, scale, error };
}

/** The bits of the scale that leaves the least squared error. */
function searchScale(
  block: Float64Array,
  sums: { -readonly [K in keyof QuantizationError]: number },
): number {
  const largest = largestOf(block);
  const nearest = toHalf(largest / -8);
  if (halfToFloat(nearest) === 0) return 0; // too small for any scale: zeros
  const searched = toHalf(fitScale(block, largest));
  const [nearestError, searchedError] = [errorOf(block, nearest), errorOf(block, searched)];
  sums.nearest += nearestError;
  sums.squared += Math.min(nearestError, searchedError);
  for (let i = 0; i < BLOCK; i++) sums.total += (block[i] ?? 0) ** 2;
  return searchedError < nearestError ? searched : nearest;
}

/**
 * Each level gives the values whole steps q; to these the best scale is (w·q)/(q·q), which leaves
 * |w|² - (w·q)²/(q·q). (ggml's make_qx_quants, without its weights.)
 */
function fitScale(block: Float64Array, largest: number): number {
  let gain = 0;
  let best = largest / -8;
  for (const level of LEVELS) {
    const inverse = level / largest;
    let wq = 0;
    let qq = 0;
    for (let i = 0; i < BLOCK; i++) {
      const w = block[i] ?? 0;
      const step = stepOf(w, inverse);
      wq += w * step;
      qq += step * step;
    }
    if (wq * wq > gain * qq) {
      gain = (wq * wq) / qq;
      best = wq / qq;
    }
  }
  return best;
}

function pack(block: Float64Array, scale: number, q: Uint8Array, at: number, bytes: number): void {
  const inverse = scale === 0 ? 0 : 1 / scale;
  const nibble = (i: number): number => stepOf(block[i] ?? 0, inverse) + 8;
  for (let i = 0; i < bytes; i++) q[at + i] = nibble(2 * i) | (nibble(2 * i + 1) << 4);
}
