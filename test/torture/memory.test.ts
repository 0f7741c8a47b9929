import { expect, test } from 'vitest';
import { slopeOf } from '../../scripts/torture/growth.ts';
import { memoryPeaks } from '../../scripts/torture/memory-peaks.ts';

test('each route stays under 100 MB with the largest images', { timeout: 600_000 }, async () => {
  const rows = await memoryPeaks({ progress: () => undefined }, 2);
  expect(rows.flatMap(({ kind, failures }) => failures.map((what) => `${kind}: ${what}`))).toEqual([]);
  for (const { peak_mb } of rows) expect(peak_mb).toBeGreaterThan(30); // it was measured
});

test('growth is seen, and noise is none', () => {
  const samples = (bytes: (i: number) => number) =>
    Array.from({ length: 40 }, (_, i) => ({ requests: 50 * i, resident: 0, alive: bytes(i) }));
  const noise = (i: number): number => ((i * 7919) % 13) * 10_000;
  const grown = slopeOf(
    samples((i) => 1e7 + 50 * i * 3000 + noise(i)),
    ({ alive }) => alive,
  );
  expect(grown.slope - 2 * grown.standard_error).toBeGreaterThan(1024);
  const still = slopeOf(
    samples((i) => 1e7 + noise(i)),
    ({ alive }) => alive,
  );
  expect(still.slope - 2 * still.standard_error).toBeLessThan(1024);
});
