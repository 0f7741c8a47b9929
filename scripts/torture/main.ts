/**
 * Tries what may go wrong, and reports what was tried and what happened.
 *
 *   npm run torture                     all sections; writes scripts/torture/results/report.md
 *   npm run torture -- --only images    one section, printed only
 *   --seed N       of the mutants (default 1)
 *   --mutants N    how many (default 20,000)
 *
 * The exit code is 1 where anything failed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { faults } from './faults.ts';
import { images } from './images.ts';
import { imagesOverHttp } from './images-http.ts';
import { load } from './load.ts';
import { memory } from './memory.ts';
import { sectionMarkdown, type Context, type Row } from './report.ts';
import { bodies, remoteImages, secrets } from './suites.ts';

const SECTIONS = [images, imagesOverHttp, memory, remoteImages, bodies, secrets, faults, load];

process.chdir(join(import.meta.dirname, '../..'));
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seed: { type: 'string', default: '1' },
    mutants: { type: 'string', default: '20000' },
  },
});
const context: Context = { seed: Number(values.seed), mutants: Number(values.mutants), progress };
const wanted = SECTIONS.filter(({ name }) => values.only === undefined || name === values.only);
if (wanted.length === 0) {
  console.error(`--only takes one of: ${SECTIONS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const parts: string[] = [heading()];
const rows: Row[] = [];
for (const { title, run } of wanted) {
  const start = performance.now();
  const own = await run(context);
  progress(1, 1, '');
  rows.push(...own);
  parts.push(`${sectionMarkdown(title, own)}\n\nTook ${((performance.now() - start) / 1000).toFixed(0)} s.`);
}
const failed = rows.reduce((sum, { failures }) => sum + failures.length, 0);
parts.push(`**${rows.reduce((sum, { tried }) => sum + tried, 0)} trials, ${failed} failed.**`);

const report = `${parts.join('\n\n')}\n`;
console.log(report);
if (values.only === undefined) {
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'report.md'), report);
}
process.exitCode = failed > 0 ? 1 : 0;

function heading(): string {
  const command = ['npm run torture', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])];
  const [busy = 0] = os.loadavg(); // other work may share the machine
  const machine = `${os.cpus()[0]?.model ?? 'unknown'}, ${os.cpus().length} cores with a load of ${busy.toFixed(1)} at the beginning, Node ${process.versions.node}`;
  return `# Torture\n\n\`${command.join(' ')}\`, seed ${context.seed}, on ${new Date().toISOString().slice(0, 10)} (${machine}).`;
}

function progress(done: number, total: number, what: string): void {
  if (!process.stderr.isTTY) return;
  const line = done === total ? '' : `${done}/${total} ${what}`;
  process.stderr.write(`\r\x1b[K${line.slice(0, 100)}`);
}
