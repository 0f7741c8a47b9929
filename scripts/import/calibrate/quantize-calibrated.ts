import { halfToFloat } from '../../../src/kernels/reference.ts';
import { toHalf } from '../floats.ts';
import { BLOCK, errorOf, largestOf, LEVELS, stepOf } from '../q4-block.ts';
import type { Q4Rows } from '../quantize-q4.ts';
import type { Feedback } from './feedback.ts';
import { triangle } from './input-moments.ts';

/** A block's weights; zero past a row's end. */
const weights = new Float64Array(BLOCK);
/** What they are to stand for, with what those before the block left. */
const targets = new Float64Array(BLOCK);
/** The same while the block is rounded: what its own weights leave comes on top. */
const moving = new Float64Array(BLOCK);
const steps = new Int8Array(BLOCK);

/**
 * Rows in 4 bits for the inputs that they were seen with: each weight is rounded so that it puts right what the
 * weights before it left wrong at the output, each block by the scale that leaves the least there.
 * @param values [rows, k], finite
 * @throws RangeError where a value is past 8 times float16's largest
 */
export function quantizeCalibrated(values: Float32Array, k: number, groups: readonly Feedback[]): Q4Rows {
  const rows = values.length / k;
  const [rowBytes, blocks] = [Math.ceil(k / 2), Math.ceil(k / BLOCK)];
  const q = new Uint8Array(rows * rowBytes);
  const scale = new Uint16Array(rows * blocks);
  const errors = new Float64Array(values.length); // w - ŵ
  const error = { squared: 0, nearest: 0, total: 0 };
  for (const group of groups) {
    for (let from = 0; from < group.size; from += BLOCK) {
      const ties = tiesWithin(group, from);
      weights.fill(0);
      targets.fill(0);
      for (let row = 0; row < rows; row++) {
        const at = row * k + group.first;
        for (let i = 0; i < ties.length; i++) weights[i] = values[at + from + i] ?? 0;
        error.nearest += errorOf(weights, toHalf(largestOf(weights) / -8));
        setTargets(group, from, errors, at, ties.length);
        const half = roundBlock(ties);
        scale[row * blocks + (group.first + from) / BLOCK] = half;
        pack(q, row * rowBytes + (group.first + from) / 2, ties.length);
        for (let i = 0; i < ties.length; i++) {
          const weight = weights[i] ?? 0;
          const left = weight - (steps[i] ?? 0) * halfToFloat(half);
          errors[at + from + i] = left;
          error.squared += left * left;
          error.total += weight * weight;
        }
      }
    }
  }
  return { q, scale, error };
}

/** L and D of a block by themselves. */
interface Ties {
  readonly length: number;
  /** L[i, j] of its inputs i before j. */
  readonly passed: Float64Array; // [BLOCK, BLOCK]
  readonly cost: Float64Array; // [BLOCK]
}

function tiesWithin({ factors, size }: Feedback, from: number): Ties {
  const length = Math.min(BLOCK, size - from);
  const passed = new Float64Array(BLOCK * BLOCK);
  const cost = new Float64Array(BLOCK);
  for (let j = 0; j < length; j++) {
    const row = triangle(from + j) + from;
    for (let i = 0; i < j; i++) passed[i * BLOCK + j] = factors[row + i] ?? 0;
    cost[j] = factors[row + j] ?? 0;
  }
  return { length, passed, cost };
}

/** @param errors of the weights of the group that stand before the block, from `at` on */
function setTargets(
  { factors }: Feedback,
  from: number,
  errors: Float64Array,
  at: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) {
    const row = triangle(from + i);
    let [even, odd] = [0, 0]; // two sums at once: a processor need not wait for the one
    for (let j = 0; j < from; j += 2) {
      even += (factors[row + j] ?? 0) * (errors[at + j] ?? 0);
      odd += (factors[row + j + 1] ?? 0) * (errors[at + j + 1] ?? 0);
    }
    targets[i] = (weights[i] ?? 0) + even + odd;
  }
}

/** Leaves the block's steps. @returns the bits of its scale */
function roundBlock(ties: Ties): number {
  settle(ties);
  const largest = largestOf(moving);
  const nearest = toHalf(largest / -8);
  let best = 0; // too small for any scale: zeros
  let least = Infinity;
  for (const level of halfToFloat(nearest) === 0 ? [] : LEVELS) {
    const half = toHalf(largest / level);
    const error = roundWith(halfToFloat(half), ties, least);
    if (error < least) [least, best] = [error, half];
  }
  roundWith(halfToFloat(best), ties, Infinity);
  return best;
}

/** The block's weights as they were best, were they not rounded: they are what a scale has to reach. */
function settle({ length, passed }: Ties): void {
  moving.set(targets);
  for (let i = 0; i < length; i++) passOn(i, (weights[i] ?? 0) - (moving[i] ?? 0), length, passed);
}

/** To the weights behind number i in the block, what it leaves. */
function passOn(i: number, left: number, length: number, passed: Float64Array): void {
  const row = i * BLOCK;
  for (let j = i + 1; j < length; j++) moving[j] = (moving[j] ?? 0) + (passed[row + j] ?? 0) * left;
}

/** Rounds the targets one after the other. @returns their error at the output, or some of it that is over `limit` */
function roundWith(scale: number, { length, passed, cost }: Ties, limit: number): number {
  const inverse = scale === 0 ? 0 : 1 / scale;
  moving.set(targets);
  let total = 0;
  for (let i = 0; i < length && total < limit; i++) {
    const target = moving[i] ?? 0;
    const step = stepOf(target, inverse);
    const value = step * scale;
    steps[i] = step;
    total += (cost[i] ?? 0) * (target - value) * (target - value);
    passOn(i, (weights[i] ?? 0) - value, length, passed);
  }
  return total;
}

function pack(q: Uint8Array, at: number, length: number): void {
  for (let i = 0; i < length; i += 2) {
    const high = i + 1 < length ? (steps[i + 1] ?? 0) : 0;
    q[at + i / 2] = ((steps[i] ?? 0) + 8) | ((high + 8) << 4);
  }
}
