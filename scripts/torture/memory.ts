import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBareWorker } from './bare-worker.ts';
import { slopeOf, watchGrowth } from './growth.ts';
import { growthPlot } from './growth-plot.ts';
import { memoryPeaks } from './memory-peaks.ts';
import type { Context, Row, Section } from './report.ts';

const REQUESTS = 2000;
const EVERY = 44;

/** Bytes a request that are noise: an image's embeddings, which every third request makes, are 56,000. */
export const NO_GROWTH = 1024;

/** What each route holds at its highest, and what two thousand requests leave behind. */
export const memory: Section = {
  name: 'memory',
  title: 'Memory of the isolate',
  run: async (context) => [...(await memoryPeaks(context)), await growth(context)],
};

async function growth({ progress }: Context): Promise<Row> {
  const worker = await startBareWorker();
  try {
    const start = performance.now();
    const samples = await watchGrowth(worker, { requests: REQUESTS, every: EVERY }, ({ requests }) =>
      progress(requests, REQUESTS, 'memory: mixed requests'),
    );
    const folder = join(import.meta.dirname, 'results');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'memory.svg'), growthPlot(samples));
    const alive = slopeOf(samples, ({ alive }) => alive);
    const resident = slopeOf(samples, ({ resident }) => resident);
    const tried = samples.at(-1)?.requests ?? 0;
    const told = ({ slope, standard_error }: typeof alive): string =>
      `${(slope / 1024).toFixed(2)} KB a request (standard error ${(standard_error / 1024).toFixed(2)})`;
    return {
      ...{ kind: 'mixed requests', tried, outcomes: { 'as expected': tried } },
      failures: alive.slope - 2 * alive.standard_error > NO_GROWTH ? [`grows by ${told(alive)}`] : [],
      ...{ slowest_ms: performance.now() - start, slowest: 'all' },
      peak_mb: Math.max(...samples.map(({ alive }) => alive)) / 2 ** 20,
      note: `over the later half the isolate's living memory grows by ${told(alive)}, workerd's resident set by ${told(resident)}: [plot](memory.svg)`,
    };
  } finally {
    worker.close();
  }
}
