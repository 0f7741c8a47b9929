/**
 * Measures whole models: glimpse-10m against transformers.js and against the ONNX engine, its decoder against
 * native llama.cpp and onnxruntime-web, and with --smolvlm the shape of SmolVLM-256M as well, in one run.
 *
 *   npm run bench:models -- [--smolvlm <bundle>] [--quick]
 *
 * writes scripts/bench/results/models.{json,md,svg} and decoders.svg; some ten minutes. --quick: few rounds; prints, writes nothing.
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
import { exportFolder } from '../onnx/export-folder.ts';
import { describeMachine, load } from './machine.ts';
import { benchDefaultModel } from './models/default-model.ts';
import { raceDecoders, type DecodersResult } from './models/decoders/race.ts';
import { decodersPlot } from './models/decoders/report.ts';
import { markdown, plot, type ModelResults } from './models/report.ts';
import { benchSmolVlm, type SmolVlmResult } from './models/smolvlm.ts';
import { benchSmolVlmRivals, type LargeRival } from './models/smolvlm-rivals.ts';
import { benchSmolVlmWorkers, type LargeWorkersResult } from './models/smolvlm-workers.ts';
import { BUNDLE, DEFAULT_BUNDLE, benchedBundle, type BenchedBundle } from './pipeline.ts';
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
    writeFileSync(join(folder, 'decoders.svg'), decodersPlot(results.decoders, results.machine));
    console.log(`Written to ${folder}`);
  },
});

async function measure({ smolvlm, quick }: Arguments): Promise<ModelResults> {
  const before = load();
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-models-'));
  try {
    const exported = await exportOf(DEFAULT_BUNDLE, folder);
    const default_model = await section('glimpse-10m', () =>
      benchDefaultModel(exported, folder, quick ? 2 : 12),
    );
    const large = smolvlm === undefined ? undefined : await measureLarge(smolvlm, folder, quick);
    const decoders = {
      [BUNDLE]: await section('glimpse-10m, decoders', () =>
        raceDecoders(DEFAULT_BUNDLE, join(exported, 'onnx'), quick ? 2 : 8),
      ),
      ...(large && { 'SmolVLM-256M': large.decoders }),
    };
    const command = `npm run bench:models${smolvlm === undefined ? '' : ' -- --smolvlm <bundle>'}`;
    const machine = describeMachine(command, [before, load()]);
    return {
      ...{ machine, default_model, decoders },
      smolvlm: large?.alone ?? null,
      smolvlm_rivals: large?.rivals ?? [],
      smolvlm_workers: large?.workers ?? null,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Large {
  readonly alone: SmolVlmResult;
  readonly rivals: readonly LargeRival[];
  readonly workers: LargeWorkersResult;
  readonly decoders: DecodersResult;
}

async function measureLarge(bundleFolder: string, parent: string, quick: boolean): Promise<Large> {
  const folder = join(parent, 'large');
  const rounds = quick ? 1 : 3;
  const bundle = benchedBundle(bundleFolder);
  const alone = await section('SmolVLM-256M', () => benchSmolVlm(bundleFolder, quick ? 1 : 5));
  const exported = await exportOf(bundle, folder);
  return {
    alone,
    rivals: await section('SmolVLM-256M, rivals', () =>
      benchSmolVlmRivals(bundleFolder, exported, folder, rounds),
    ),
    workers: await section('SmolVLM-256M, workerd', () =>
      benchSmolVlmWorkers(bundleFolder, exported, folder, rounds),
    ),
    decoders: await section('SmolVLM-256M, decoders', () =>
      raceDecoders(bundle, join(exported, 'onnx'), rounds),
    ),
  };
}

/** Once for all who run it in transformers.js' layout. */
async function exportOf({ bundles, id }: BenchedBundle, folder: string): Promise<string> {
  const exported = join(folder, 'exported', id);
  await section(`${id}, export`, () => exportFolder(bundles, id, exported));
  return exported;
}
