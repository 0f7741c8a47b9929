import { faultMatrix, type FaultRow } from '../../test/faults/fault-matrix.ts';
import { photo } from '../../test/workerd/worker.ts';
import type { Row, Section } from './report.ts';

/** About how many there are, for the progress line. */
const TRIALS = 190;

/** Every fault of storage at every step of a request: the right answer or 503, and the next request is well. */
export const faults: Section = {
  name: 'faults',
  title: 'Faults of storage',
  async run({ progress }) {
    const rows = new Map<string, { outcomes: Record<string, number>; failures: string[]; tried: number }>();
    const images = [await photo('rocket.jpg'), await photo('chelsea.png')] as const;
    let done = 0;
    for await (const trial of faultMatrix('model-shards/glimpse-10m', images)) {
      progress(done++, TRIALS, trial.name);
      const kind = kindOf(trial);
      const row = rows.get(kind) ?? { outcomes: {}, failures: [], tried: 0 };
      rows.set(kind, row);
      row.tried += 1;
      const outcome = trial.got.startsWith('503') ? '503, then the right answer' : 'right answer';
      row.outcomes[outcome] = (row.outcomes[outcome] ?? 0) + 1;
      if (!trial.ok) row.failures.push(`${trial.name}: expected ${trial.expected}, got ${trial.got}`);
    }
    return Array.from(rows, ([kind, row]): Row => ({
      kind,
      ...row,
      slowest_ms: 0,
      slowest: '',
      peak_mb: null,
    }));
  },
};

/** A trial's name begins with what it is a fault of. */
function kindOf({ name }: FaultRow): string {
  return name.split(/[:,]| before fetch/)[0] ?? name;
}
