import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Context, Row, Section } from './report.ts';

/** What `vitest --reporter=json` tells, as far as it is read here. */
interface Results {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: 'passed' | 'failed' | 'skipped';
      readonly duration?: number | null;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Tests of hostile callers, hosts and stores that stand in test/ already, told as a part of the report. */
const suite = (name: string, title: string, paths: readonly string[]): Section => ({
  name,
  title,
  run: async ({ progress }: Context) => {
    progress(0, 1, title);
    return rowsOf(await vitest(paths));
  },
});

export const remoteImages = suite('remote-images', 'Images by URL', ['test/remote-image']);
export const bodies = suite('bodies', 'Bodies and budgets', ['test/admission', 'test/text/prompt.test.ts']);
export const secrets = suite('secrets', 'Secrets, headers, errors and caches', [
  ...['test/workerd/access.test.ts', 'test/workerd/log.test.ts', 'test/routes/errors.test.ts'],
  ...['test/faults/cache-properties.test.ts', 'test/faults/worker.test.ts'],
]);

async function vitest(paths: readonly string[]): Promise<Results> {
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-torture-'));
  const file = join(folder, 'results.json');
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...paths, '--reporter=json', `--outputFile=${file}`];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  const results = JSON.parse(readFileSync(file, 'utf8')) as Results;
  rmSync(folder, { recursive: true });
  return results;
}

/** A row a file. */
function rowsOf({ testResults }: Results): readonly Row[] {
  return testResults.map(({ name, assertionResults: all }): Row => {
    const outcomes: Record<string, number> = {};
    for (const { status } of all) outcomes[status] = (outcomes[status] ?? 0) + 1;
    const slowest = all.reduce((worst, next) =>
      (next.duration ?? 0) > (worst.duration ?? 0) ? next : worst,
    );
    return {
      ...{ kind: basename(name, '.test.ts'), tried: all.length, outcomes },
      failures: all
        .filter(({ status }) => status !== 'passed')
        .map(
          ({ fullName, failureMessages: [first = 'skipped'] }) =>
            `${fullName}: ${first.split('\n')[0] ?? ''}`,
        ),
      ...{
        slowest_ms: slowest.duration ?? 0,
        slowest: slowest.fullName.replaceAll('|', '\\|'),
        peak_mb: null,
      },
    };
  });
}
