import { describe, expect, it } from 'vitest';
import { images } from '../../scripts/torture/images.ts';
import { imagesOverHttp } from '../../scripts/torture/images-http.ts';
import type { Section } from '../../scripts/torture/report.ts';

/** The same sections as in `npm run torture`, with fewer mutants. */
const failuresOf = async ({ run }: Section): Promise<readonly string[]> => {
  const rows = await run({ seed: 7, mutants: 1500, progress: () => undefined });
  expect(rows.reduce((sum, { tried }) => sum + tried, 0)).toBeGreaterThan(50);
  return rows.flatMap(({ kind, failures }) => failures.map((what) => `${kind}: ${what}`));
};

describe('hostile, odd and damaged images', () => {
  it('end in the right picture or are refused, in time and within the memory allowed', async () => {
    expect(await failuresOf(images)).toEqual([]);
  }, 300_000);

  it('sent to the Worker get the right status, and the next request is well', async () => {
    expect(await failuresOf(imagesOverHttp)).toEqual([]);
  }, 300_000);
});
