import { describe, expect, it } from 'vitest';
import { feedbackOf } from '../../../../scripts/import/calibrate/feedback.ts';
import { addInputs, createMoments, GROUP } from '../../../../scripts/import/calibrate/input-moments.ts';
import { quantizeCalibrated } from '../../../../scripts/import/calibrate/quantize-calibrated.ts';
import { toHalf } from '../../../../scripts/import/floats.ts';
import { LEVELS } from '../../../../scripts/import/q4-block.ts';
import { quantizeQ4, type Q4Rows } from '../../../../scripts/import/quantize-q4.ts';
import { halfToFloat } from '../../../../src/kernels/reference.ts';
import { uniform } from '../../../reference/random.ts';

type Matrix = readonly (readonly number[])[];

const random = uniform(7);
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const normals = (length: number): Float32Array => Float32Array.from({ length }, normal);

/**
 * As a trained model's: a few directions that most rows share, and inputs that are larger than others. Of whole
 * numbers: their moments are exact in float32.
 */
function correlated(rows: number, k: number, shared = 4): Float32Array {
  const directions = Array.from({ length: shared }, () => normals(k));
  const sizes = Array.from({ length: k }, (_, i) => (i % 13 === 0 ? 4 : 1));
  return Float32Array.from(
    Array.from({ length: rows }, () => directions.map(() => 2 * normal())).flatMap((weights) =>
      sizes.map((size, i) =>
        Math.round(
          4 * size * (normal() + weights.reduce((sum, w, d) => sum + w * (directions[d]?.[i] ?? 0), 0)),
        ),
      ),
    ),
  );
}

function momentsOf(x: Float32Array, k: number): ReturnType<typeof createMoments> {
  const moments = createMoments(k);
  addInputs(moments, x, x.length / k);
  return moments;
}

/** X'X of every other row, with 128 rows of white noise as large as the inputs are. */
function hessianOf(x: Float32Array, k: number): Matrix {
  const rows = Array.from({ length: Math.ceil(x.length / k / 2) }, (_, r) =>
    x.subarray(2 * r * k, (2 * r + 1) * k),
  );
  const h = Array.from({ length: k }, (_, i) =>
    Array.from({ length: k }, (_, j) => rows.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), 0)),
  );
  const prior = (128 * h.reduce((sum, row, i) => sum + (row[i] ?? 0), 0)) / k / rows.length;
  return h.map((row, i) => row.map((value, j) => (i === j ? value + prior : value)));
}

/** By Gauss and Jordan. */
function inverse(matrix: Matrix): number[][] {
  const n = matrix.length;
  const work = matrix.map((row, i) => [...row, ...Array.from({ length: n }, (_, j) => (i === j ? 1 : 0))]);
  work.forEach((pivot, i) => {
    const divisor = pivot[i] ?? NaN;
    pivot.forEach((value, j) => (pivot[j] = value / divisor));
    work.forEach((row, r) => {
      const factor = row[i] ?? NaN;
      if (r !== i) row.forEach((value, j) => (row[j] = value - factor * (pivot[j] ?? NaN)));
    });
  });
  return work.map((row) => row.slice(n));
}

const at = (matrix: Matrix, i: number, j: number): number => matrix[i]?.[j] ?? NaN;

/** Optimal brain surgery as GPTQ has it (arXiv:2210.17323, section 3), weight by weight on the inverse itself. */
function surgeon(weights: Float32Array, h: Matrix): { readonly steps: number[]; readonly scales: number[] } {
  const k = weights.length;
  let rest = [...weights];
  let inv = inverse(h);
  const steps: number[] = [];
  const scales: number[] = [];

  function round(from: number, end: number, scale: number) {
    let [left, now, error] = [[...rest], inv, 0];
    const taken: number[] = [];
    for (let i = from; i < end; i++) {
      const step = Math.max(-8, Math.min(7, Math.round((left[i] ?? 0) / scale)));
      const [pivot, diagonal] = [now[i] ?? [], at(now, i, i)];
      const wrong = ((left[i] ?? 0) - step * scale) / diagonal;
      error += wrong * wrong * diagonal;
      left = left.map((w, j) => w - wrong * (pivot[j] ?? 0));
      now = now.map((row) => row.map((v, j) => v - ((row[i] ?? 0) * (pivot[j] ?? 0)) / diagonal));
      taken.push(step);
    }
    return { left, now, error, taken };
  }

  for (let from = 0; from < k; from += 32) {
    const end = Math.min(k, from + 32);
    const largest = rest.slice(from, end).reduce((most, w) => (Math.abs(w) > Math.abs(most) ? w : most), 0);
    const tried = LEVELS.map((level) => {
      const half = toHalf(largest / level);
      return { half, ...round(from, end, halfToFloat(half)) };
    });
    const best = tried.reduce((a, b) => (b.error < a.error ? b : a));
    steps.push(...best.taken);
    scales.push(best.half);
    [rest, inv] = [best.left, best.now];
  }
  return { steps, scales };
}

function stepsOf({ q }: Q4Rows, k: number, row: number): number[] {
  const bytes = Math.ceil(k / 2);
  return Array.from({ length: k }, (_, i) => (((q[row * bytes + (i >> 1)] ?? 0) >> (4 * (i & 1))) & 15) - 8);
}

function valuesOf(rows: Q4Rows, k: number, row: number): number[] {
  const blocks = Math.ceil(k / 32);
  return stepsOf(rows, k, row).map((step, i) => step * halfToFloat(rows.scale[row * blocks + (i >> 5)] ?? 0));
}

/** Of the outputs, over the inputs that made the matrix. */
function outputError(weights: Float32Array, values: readonly number[], h: Matrix): number {
  const e = values.map((value, i) => value - (weights[i] ?? 0));
  return h.reduce((sum, row, i) => sum + (e[i] ?? 0) * row.reduce((s, v, j) => s + v * (e[j] ?? 0), 0), 0);
}

describe('second moments of inputs', () => {
  it.each([1, 63, 64, 200])('are of every other row of %i', (rows) => {
    const k = GROUP + 45;
    const x = normals(rows * k);
    const { sums, rows: counted } = momentsOf(x, k);
    expect(counted).toBe(Math.ceil(rows / 2));
    const expected = [
      [0, GROUP],
      [GROUP, k],
    ].flatMap(([from = 0, end = 0]) => {
      const group = Array.from({ length: end - from }, (_, i) => from + i);
      return group.flatMap((i) =>
        group.slice(0, i - from + 1).map((j) => {
          let sum = 0;
          for (let r = 0; r < rows; r += 2) sum += (x[r * k + i] ?? 0) * (x[r * k + j] ?? 0);
          return sum;
        }),
      );
    });
    expect(sums).toHaveLength(expected.length);
    const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (sums[i] ?? NaN))), 0);
    expect(worst).toBeLessThan(1e-4);
  });
});

describe('rounding for inputs', () => {
  const [k, rows] = [80, 6]; // two blocks and a half
  const x = correlated(400, k);
  const weights = normals(rows * k);
  const calibrated = quantizeCalibrated(weights, k, feedbackOf(momentsOf(x, k)));
  const row = (r: number): Float32Array => weights.subarray(r * k, (r + 1) * k);

  it('is what optimal brain surgery on the inverse makes of it', () => {
    const h = hessianOf(x, k);
    for (let r = 0; r < rows; r++) {
      const { steps, scales } = surgeon(row(r), h);
      expect(stepsOf(calibrated, k, r).join()).toBe(steps.join());
      expect([...calibrated.scale.subarray(r * 3, (r + 1) * 3)]).toEqual(scales);
    }
  });

  it('leaves outputs less wrong on inputs that it has not seen than the search for scales', () => {
    const searched = quantizeQ4(weights, k);
    const more = hessianOf(x.subarray(k), k); // the rows between those that were counted
    const sum = (how: Q4Rows, h: Matrix): number =>
      Array.from({ length: rows }, (_, r) => outputError(row(r), valuesOf(how, k, r), h)).reduce(
        (a, b) => a + b,
      );
    expect(sum(calibrated, more)).toBeLessThan(0.6 * sum(searched, more));
  });

  it('comes near the best of all roundings, where all can be tried', () => {
    const [few, many] = [4, 20];
    const inputs = correlated(2000, few, 1);
    const w = normals(many * few);
    const h = hessianOf(inputs, few);
    const found = quantizeCalibrated(w, few, feedbackOf(momentsOf(inputs, few)));
    let [best, ours, nearest] = [0, 0, 0];
    for (let r = 0; r < many; r++) {
      const one = w.subarray(r * few, (r + 1) * few);
      const scale = halfToFloat(found.scale[r] ?? 0);
      const all = Array.from({ length: 16 ** few }, (_, i) =>
        outputError(
          one,
          [0, 4, 8, 12].map((shift) => (((i >> shift) & 15) - 8) * scale),
          h,
        ),
      );
      best += all.reduce((a, b) => Math.min(a, b));
      ours += outputError(one, valuesOf(found, few, r), h);
      const steps = Array.from(one, (v) => Math.max(-8, Math.min(7, Math.round(v / scale))) * scale);
      nearest += outputError(one, steps, h);
    }
    expect(ours).toBeLessThan(1.5 * best);
    expect(ours).toBeLessThan(0.9 * nearest);
  });

  it('counts the weights’ own errors, and holds zeros', () => {
    const squared = Array.from({ length: rows }, (_, r) =>
      valuesOf(calibrated, k, r).reduce((sum, value, i) => sum + (value - (row(r)[i] ?? 0)) ** 2, 0),
    ).reduce((a, b) => a + b);
    expect(calibrated.error.squared).toBeCloseTo(squared, 6);
    expect(calibrated.error.nearest).toBeCloseTo(quantizeQ4(weights, k).error.nearest, 6);
    const zeros = quantizeCalibrated(new Float32Array(k), k, feedbackOf(momentsOf(x, k)));
    expect(valuesOf(zeros, k, 0).every((value) => value === 0)).toBe(true);
    const unseen = feedbackOf(momentsOf(new Float32Array(10 * k), k));
    expect(valuesOf(quantizeCalibrated(weights, k, unseen), k, 0).every(Number.isFinite)).toBe(true);
    expect(() => quantizeCalibrated(new Float32Array(k).fill(6e5), k, unseen)).toThrow(/600000 is too large/);
  });
});
