import { halfToFloat } from '../../src/kernels/reference.ts';

/** A block of 32 inputs in 4 bits: value = step * scale, steps from -8 to 7, the scale a float16 with a sign. */
export const BLOCK = 32;
/** What a float16 scale reaches. */
const MOST = 8 * 65_504;

/**
 * Where a search for the scale puts the value of largest magnitude. Past -8 and 7 it is clipped, which pays
 * where the others come closer by it. On normally distributed weights these 17 leave 11% less squared error than
 * Q4_0; 82 levels would leave 0.2 percentage points less.
 */
export const LEVELS: readonly number[] = [
  ...[-9.2, -8.8, -8.4, -8, -7.7, -7.4, -7, -6.6, -6.2, -5.8],
  ...[5.8, 6.2, 6.6, 7, 7.4, 7.8, 8.2],
];

/** Adding it leaves a double no place for a fraction: what is subtracted again was rounded, ties to even. */
const ROUND = 1.5 * 2 ** 52;

/** The step nearest to a value. @param inverse of the scale */
export function stepOf(value: number, inverse: number): number {
  const step = value * inverse + ROUND - ROUND;
  return step < -8 ? -8 : step > 7 ? 7 : step;
}

/** With its sign. @throws RangeError where it is past 8 times float16's largest */
export function largestOf(block: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < BLOCK; i++) {
    const w = block[i] ?? 0;
    if (Math.abs(w) > Math.abs(largest)) largest = w;
  }
  if (Math.abs(largest) > MOST) throw new RangeError(`${largest} is too large for a float16 scale`);
  return largest;
}

/** Squared, of rounding to the nearest steps. @param half the scale's bits */
export function errorOf(block: Float64Array, half: number): number {
  const scale = halfToFloat(half);
  const inverse = scale === 0 ? 0 : 1 / scale;
  let error = 0;
  for (let i = 0; i < BLOCK; i++) {
    const w = block[i] ?? 0;
    const difference = w - stepOf(w, inverse) * scale;
    error += difference * difference;
  }
  return error;
}
