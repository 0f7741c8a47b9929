import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import { preprocessImage } from '../../src/image/preprocess.ts';
import { preprocessorConfigSchema } from '../../src/image/preprocessor-config.ts';
import { photo } from './fixtures.ts';

interface Case {
  readonly processor: string;
  readonly picture: string;
  readonly shape: readonly number[];
  readonly grid: readonly number[];
  readonly offset: number;
}

const folder = new URL('../fixtures/processor/', import.meta.url);
const { samples, processors, pictures, cases } = JSON.parse(
  readFileSync(new URL('pixel_values.json', folder), 'utf8'),
) as {
  readonly samples: number;
  readonly processors: Record<string, { readonly image_std: readonly number[] }>;
  readonly pictures: Record<string, { readonly photo?: string; readonly png?: string }>;
  readonly cases: readonly Case[];
};
const expected = readFileSync(new URL('pixel_values.bin', folder));

function pictureOf(name: string): Uint8Array {
  const { photo: file, png = '' } = pictures[name] ?? {};
  return file === undefined ? new Uint8Array(Buffer.from(png, 'base64')) : photo(file);
}

/** How far from transformers' values ours are at the sampled places, in levels of a byte. */
async function distance({ processor, picture, shape, grid, offset }: Case) {
  const config = preprocessorConfigSchema.parse(processors[processor]);
  const ours = await preprocessImage(pictureOf(picture), config, DEFAULT_LIMITS);
  expect({ shape: ours.shape, grid: ours.grid }).toEqual({ shape, grid });

  const [batch, channels, height, width] = ours.shape;
  const area = height * width;
  const images = Array.from({ length: batch }, (_, index) => ours.read(index));
  const last = batch * channels * area - 1;
  const differences = Array.from({ length: samples }, (_, i) => {
    const at = Math.floor((i * last) / (samples - 1));
    const value = images[Math.floor(at / (channels * area))]?.[at % (channels * area)] ?? NaN;
    const level = 255 * (processors[processor]?.image_std[Math.floor(at / area) % channels] ?? NaN);
    return level * Math.abs(value - expected.readFloatLE(offset + 4 * i));
  });
  return { mean: differences.reduce((a, b) => a + b, 0) / samples, max: Math.max(...differences) };
}

/** Whether a picture's columns are resized before its rows there and after them here: a rounding may fall on the other side. */
function roundsElsewhere({ processor, picture }: Case): boolean {
  if (processor === 'donut, turning') return !['astronaut.png', 'portrait', 'dot', 'strip'].includes(picture);
  // Pillow 13 shrinks a tall picture's columns first.
  return (
    ['smolvlm, not split', 'donut, lying'].includes(processor) && ['portrait', 'strip'].includes(picture)
  );
}

describe("pixel_values are those of transformers' image processors", () => {
  it.each(cases)('$processor: $picture', async (one) => {
    const { mean, max } = await distance(one);
    const limit = roundsElsewhere(one) ? { mean: 0.2, max: 1.001 } : { mean: 1e-4, max: 1e-3 };
    expect(mean).toBeLessThan(limit.mean);
    expect(max).toBeLessThan(limit.max);
  });
});
