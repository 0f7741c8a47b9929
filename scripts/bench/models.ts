/**
 * Measures whole models: glimpse-10m against transformers.js and against the ONNX engine, and with --smolvlm
 * Glimpse on the shape of SmolVLM-256M, in one run.
 *
 *   npm run bench:models -- [--smolvlm <bundle>] [--quick]
 *
 * writes scripts/bench/results/models.{json,md,svg}; some three minutes. --quick: few rounds; prints, writes nothing.
 * These make the bundle (0.5 GB, then 0.15 GB):
 *
 *   node scripts/bench/random-checkpoint.ts --out /tmp/smolvlm-random --one-tile
 *   npm run import -- /tmp/smolvlm-random --id smolvlm-random --out /tmp/bundles
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, fromUser } from '../cli/paths.ts';
import { runCommand } from '../cli/run-command.ts';
import { describeMachine, load } from './machine.ts';
import { benchDefaultModel } from './models/default-model.ts';
import { markdown, plot, type ModelResults } from './models/report.ts';
import { benchSmolVlm } from './models/smolvlm.ts';
import { rounded, section } from './run.ts';

interface Arguments {
  /** A bundle's folder. */
  readonly smolvlm: string | undefined;
  readonly quick: boolean;
}

process.chdir(ROOT);
await runCommand({
  usage: 'npm run bench:models -- [--smolvlm <bundle>] [--quick]',
  parse(args): Arguments {
    const { values } = parseArgs({
      args: [...args],
      options: { smolvlm: { type: 'string' }, quick: { type: 'boolean', default: false } },
    });
    const { smolvlm, quick } = values;
    return { smolvlm: smolvlm === undefined ? undefined : fromUser(smolvlm), quick };
  },
  async run(args) {
    const results = await measure(args);
    if (args.quick) {
      console.log(markdown(results));
      return;
    }
    const folder = join(import.meta.dirname, 'results');
    writeFileSync(join(folder, 'models.json'), `${JSON.stringify(results, rounded, 2)}\n`);
    writeFileSync(join(folder, 'models.md'), markdown(results));
    writeFileSync(join(folder, 'models.svg'), plot(results));
    console.log(`Written to ${folder}`);
  },
});

async function measure({ smolvlm, quick }: Arguments): Promise<ModelResults> {
  const before = load();
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-models-'));
  try {
    const default_model = await section('glimpse-10m', () => benchDefaultModel(folder, quick ? 2 : 12));
    const large =
      smolvlm === undefined
        ? null
        : await section('SmolVLM-256M', () => benchSmolVlm(smolvlm, quick ? 1 : 5));
    const command = `npm run bench:models${smolvlm === undefined ? '' : ' -- --smolvlm <bundle>'}`;
    return { machine: describeMachine(command, [before, load()]), default_model, smolvlm: large };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
