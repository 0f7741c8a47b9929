import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import { preprocessImage } from '../../src/image/preprocess.ts';
import { cases, type Case } from './fixtures.ts';

/** Pictures that Pillow 13 resizes with the horizontal pass first: all JPEGs here but the tall ones. */
const SAME_ORDER = /^(png (type|square, (wide|line|dot))|jpeg (?!3x500|17x31))/;

/** How far from Pillow's bytes the pixels are, on average and at most. */
async function distance({ picture, expected, config }: Case): Promise<{ mean: number; max: number }> {
  const pixel_values = await preprocessImage(picture, config, DEFAULT_LIMITS);
  const { height, width } = config.kind === 'fixed' ? config.canvas : {};
  expect(pixel_values.shape).toEqual([1, 3, height, width]);
  const data = pixel_values.read(0);
  expect(data.length).toBe(expected.length);
  const area = data.length / 3;
  const differences = Array.from(expected, (byte, i) =>
    Math.abs(byte - (data[(i % 3) * area + Math.floor(i / 3)] ?? NaN)),
  );
  return { mean: differences.reduce((a, b) => a + b, 0) / differences.length, max: Math.max(...differences) };
}

describe('pixel_values against Pillow', () => {
  // Pillow 13 makes the vertical pass first where that is cheaper; the rounding between the two passes
  // then falls on other values. Here the horizontal pass always comes first, as up to Pillow 12.
  it.each(cases)('$name', async (one) => {
    const { mean, max } = await distance(one);
    expect(mean).toBeLessThan(0.3);
    expect(max).toBeLessThanOrEqual(3);
  });

  it('is equal to the byte where the passes come in the same order', async () => {
    const same = cases.filter(({ name }) => SAME_ORDER.test(name));
    expect(same.length).toBeGreaterThan(90);
    for (const one of same) expect(await distance(one), one.name).toEqual({ mean: 0, max: 0 });
  });
});
