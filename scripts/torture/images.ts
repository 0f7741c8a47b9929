import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { corpus } from './images/corpus.ts';
import { createPool, type Measured, type Pool } from './images/pool.ts';
import type { Context, Row, Section } from './report.ts';

/**
 * What a file may take: to decode, and over what the process held before. The largest PNGs hold some 5 MB;
 * the rest is garbage of Node's inflater and of upng-js, which V8 collects when it sees fit: 39 to 77 MB.
 */
const MAX_MS = 2000;
const MAX_MB = 90;

/** The whole corpus, then the mutants. */
export const images: Section = {
  name: 'images',
  title: 'Images: hostile, odd and damaged files',
  async run(context) {
    const pool = createPool();
    try {
      return [...(await runCorpus(pool, context)), ...(await runMutants(pool, context))];
    } finally {
      pool.close();
    }
  },
};

async function runCorpus(pool: Pool, { progress }: Context): Promise<readonly Row[]> {
  const rows = new Map<string, Measured[]>();
  for (const [index, { kind, name, alone, bytes }] of corpus.entries()) {
    progress(index, corpus.length, `${kind}: ${name}`);
    const measured = alone ? await runAlone(pool, index, bytes()) : await pool.run({ specimen: index });
    rows.set(kind, [...(rows.get(kind) ?? []), { ...measured, name }]);
  }
  return [...rows].map(([kind, all]) => rowOf(kind, all));
}

/** The file is made here, so that what its making left behind is not taken for memory that was there before. */
async function runAlone(pool: Pool, specimen: number, bytes: Uint8Array): Promise<Measured> {
  const folder = mkdtempSync(join(os.tmpdir(), 'glimpse-torture-'));
  try {
    const file = join(folder, 'image');
    writeFileSync(file, bytes);
    return await pool.run({ specimen, file }, true);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const MUTANTS = { same: 'PNG mutants', refused: 'PNG mutants with repaired checksums', any: 'JPEG mutants' };

async function runMutants(pool: Pool, { seed, mutants, progress }: Context): Promise<readonly Row[]> {
  const rows = new Map<string, Measured[]>(Object.values(MUTANTS).map((kind) => [kind, []]));
  for (let index = 0; index < mutants; index++) {
    if (index % 50 === 0) progress(index, mutants, 'mutants');
    const kind = [MUTANTS.same, MUTANTS.refused, MUTANTS.any][index % 3] ?? '';
    rows.get(kind)?.push(await pool.run({ seed, mutant: index }));
  }
  return [...rows].map(([kind, all]) => rowOf(kind, all));
}

function rowOf(kind: string, all: readonly Measured[]): Row {
  const outcomes: Record<string, number> = {};
  for (const { outcome } of all) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const slowest = all.reduce<Measured | null>(
    (worst, one) => (one.ms > (worst?.ms ?? -1) ? one : worst),
    null,
  );
  const peaks = all.flatMap(({ peak_mb }) => (peak_mb === null ? [] : [peak_mb]));
  return {
    ...{ kind, outcomes, tried: all.length, failures: all.flatMap(failuresOf) },
    ...{ slowest_ms: slowest?.ms ?? 0, slowest: slowest?.name ?? '' },
    peak_mb: peaks.length > 0 ? Math.max(...peaks) : null,
  };
}

function failuresOf({ name, failure, ms, peak_mb }: Measured): readonly string[] {
  return [
    ...(failure === null ? [] : [`${name}: ${failure}`]),
    ...(ms > MAX_MS ? [`${name}: took ${ms.toFixed(0)} ms`] : []),
    ...(peak_mb !== null && peak_mb > MAX_MB ? [`${name}: took ${peak_mb.toFixed(0)} MB`] : []),
  ];
}
