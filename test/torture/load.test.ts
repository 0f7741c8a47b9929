import { expect, test } from 'vitest';
import { runLoad } from '../../scripts/torture/load.ts';

/** The same section as in `npm run torture`, with fewer connections for a shorter time. */
test(
  'every response under load is right, no request hangs, short ones are not starved, vision runs once for an image',
  { timeout: 300_000 },
  async () => {
    const rows = await runLoad({ connections: 24, seconds: 12, seed: 7 }, () => undefined);
    expect(rows.flatMap(({ kind, failures }) => failures.map((what) => `${kind}: ${what}`))).toEqual([]);
    expect(rows.reduce((sum, { tried }) => sum + tried, 0)).toBeGreaterThan(700);
  },
);
