import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { faultMatrix, type FaultRow } from './fault-matrix.ts';

const photo = async (name: string) => new Uint8Array(await readFile(`test/fixtures/photos/${name}`));

test(
  'every fault of storage ends in the right answer or in 503, and the next request is well',
  { timeout: 600_000 },
  async () => {
    const rows: FaultRow[] = [];
    const images = [await photo('rocket.jpg'), await photo('chelsea.png')] as const;
    for await (const row of faultMatrix('model-shards/glimpse-10m', images)) rows.push(row);
    expect(rows.filter(({ ok }) => !ok)).toEqual([]);
    expect(rows.length).toBeGreaterThan(150);
  },
);
