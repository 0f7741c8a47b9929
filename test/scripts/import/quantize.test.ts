import { describe, expect, it } from 'vitest';
import { toFloats, toHalf } from '../../../scripts/import/floats.ts';
import { quantizeQ4 } from '../../../scripts/import/quantize-q4.ts';
import { quantizeQ8 } from '../../../scripts/import/quantize-q8.ts';
import { halfToFloat } from '../../../src/kernels/reference.ts';
import { uniform } from '../../reference/random.ts';

/** What 4 bits of one row stand for. */
function valuesOf(row: Float32Array): readonly number[] {
  const { q, scale } = quantizeQ4(row, row.length);
  return Array.from(row, (_, i) => {
    const nibble = ((q[i >> 1] ?? 0) >> (i & 1 ? 4 : 0)) & 15;
    return (nibble - 8) * halfToFloat(scale[i >> 5] ?? 0);
  });
}

function squaredError(row: Float32Array, values: readonly number[]): number {
  return values.reduce((sum, value, i) => sum + (value - (row[i] ?? 0)) ** 2, 0);
}

describe('4 bits', () => {
  const random = uniform(1);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const rows = Array.from({ length: 300 }, (_, i) =>
    Float32Array.from({ length: 32 }, () => normal() * (i % 3 === 0 && random() < 0.05 ? 1 : 0.05)),
  );

  it('leave a tenth less squared error than rounding to the nearest, and never more', () => {
    // A row in three has outliers, which leave no choice of scale.
    const errors = rows.map((row) => {
      const { error } = quantizeQ4(row, 32);
      expect(error.squared).toBeLessThanOrEqual(error.nearest);
      expect(error.squared).toBeCloseTo(squaredError(row, valuesOf(row)), 12);
      return error;
    });
    const sum = (key: 'squared' | 'nearest') =>
      errors.reduce((total, error, i) => total + (i % 3 === 0 ? 0 : error[key]), 0);
    expect(sum('squared')).toBeLessThan(0.9 * sum('nearest'));
  });

  it('are as good as any scale could make them, all but two hundredths', () => {
    const best = (row: Float32Array): number => {
      const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const scales = Array.from({ length: 400 }, (_, i) => (largest / 8) * (0.7 + i / 400));
      const errors = [...scales, ...scales.map((scale) => -scale)].map((scale) =>
        squaredError(
          row,
          Array.from(row, (v) => Math.max(-8, Math.min(7, Math.round(v / scale))) * scale),
        ),
      );
      return Math.min(...errors);
    };
    const [found, possible] = [0, 1].map((which) =>
      rows.reduce((sum, row) => sum + (which === 0 ? squaredError(row, valuesOf(row)) : best(row)), 0),
    );
    expect(found).toBeLessThan(1.02 * (possible ?? 0));
  });

  it('hold zeros, single values and the smallest exactly', () => {
    expect(valuesOf(new Float32Array(32)).every((value) => value === 0)).toBe(true);
    expect(valuesOf(Float32Array.of(0.5, ...new Array<number>(31).fill(0)))[0]).toBe(0.5);
    expect(valuesOf(new Float32Array(32).fill(1e-12)).every((value) => value === 0)).toBe(true);
  });

  it('pad a row that ends within a block: its neighbour’s values are not its own', () => {
    const two = Float32Array.from({ length: 80 }, (_, i) => (i < 40 ? 0.01 * i : 100));
    const { q, scale } = quantizeQ4(two, 40);
    const alone = quantizeQ4(two.subarray(0, 40), 40);
    expect([q.length, scale.length]).toEqual([40, 4]);
    expect([q.subarray(0, 20), scale.subarray(0, 2)]).toEqual([alone.q, alone.scale]);
  });

  it('refuse a weight that no float16 scale reaches', () => {
    expect(() => quantizeQ4(new Float32Array(32).fill(6e5), 32)).toThrow(/600000 is too large/);
  });
});

it('8 bits: the nearest step of each row’s largest magnitude', () => {
  const { q, scale } = quantizeQ8(Float32Array.of(1, -0.3, 0.252, 0, 0, 0), 3);
  expect([...q]).toEqual([127, -38, 32, 0, 0, 0]);
  expect([...scale]).toEqual([Math.fround(1 / 127), 0]);
});

describe('float16', () => {
  it('comes back from float32 as it was', () => {
    const halves = Array.from({ length: 65_536 }, (_, half) => half).filter(
      (half) => (half & 0x7c00) !== 0x7c00,
    );
    expect(halves.filter((half) => toHalf(halfToFloat(half)) !== half)).toEqual([]);
  });

  it('is the nearest, ties to even, infinity past the largest', () => {
    const between = (half: number): number => (halfToFloat(half) + halfToFloat(half + 1)) / 2;
    for (const half of [0, 1, 1022, 1023, 1024, 0x3c00, 0x3c01, 0x7bfd]) {
      expect(toHalf(between(half))).toBe(half + (half & 1));
      expect(toHalf(-between(half) * (1 - 1e-9))).toBe(0x8000 + half);
    }
    expect([toHalf(65_519), toHalf(65_520), toHalf(-1e9)]).toEqual([0x7bff, 0x7c00, 0xfc00]);
  });
});

it.each([
  ['F32', [0, 0, 0x80, 0x3f, 0, 0, 0xc0, 0x7f], [1, NaN]],
  ['F16', [0, 0x3c, 1, 0, 0, 0xfc, 1, 0x7e], [1, 2 ** -24, -Infinity, NaN]],
  ['BF16', [0x80, 0x3f, 0x49, 0xc0, 0x80, 0x7f], [1, -3.140625, Infinity]],
] as const)('reads %s', (dtype, bytes, values) => {
  const floats = new Float32Array(values.length);
  toFloats(Uint8Array.from(bytes), dtype, floats);
  expect([...floats]).toEqual(values);
});
