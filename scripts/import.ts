/** Makes a bundle of a Hugging Face model folder: 4-bit weights in shards, with a manifest. */
import { SingleBar } from 'cli-progress';
import { ensureKernels } from './cli/ensure-kernels.ts';
import { runCommand } from './cli/run-command.ts';
import { IMPORT_USAGE, parseImportArguments, type ImportArguments } from './import/arguments.ts';
import { architectureOf } from './import/architectures/architecture.ts';
import { checkBundle, type Check } from './import/check/check-bundle.ts';
import { openCheckpoint } from './import/checkpoint.ts';
import { describePlan } from './import/dry-run.ts';
import { readConfig, vocabularySize } from './import/files.ts';
import { importModel, type Imported, type Source, type Target } from './import/import-model.ts';
import { matchTensors } from './import/match.ts';
import { bytesOf } from './import/pieces.ts';
import { planBundle, type Plan } from './import/plan.ts';

await runCommand({ usage: IMPORT_USAGE, parse: parseImportArguments, run: importFolder });

async function importFolder({ folder, eightBit, dryRun, check, ...target }: ImportArguments): Promise<void> {
  const config = await readConfig(folder);
  const architecture = architectureOf(config);
  const plan = planBundle(architecture, eightBit);
  const checkpoint = await openCheckpoint(folder);
  try {
    if (dryRun) {
      const tensors = matchTensors(architecture, checkpoint.tensors);
      console.log(describePlan(architecture, plan, tensors, await vocabularySize(folder)));
      return;
    }
    const source = { folder, config, architecture, checkpoint };
    report(target, await importWithProgress(source, plan, target));
    if (check) {
      ensureKernels();
      reportCheck(await checkBundle(source, plan, target));
    }
  } finally {
    checkpoint.close();
  }
}

/** Without a terminal, a line now and then. */
async function importWithProgress(source: Source, plan: Plan, target: Target): Promise<Imported> {
  const bar = new SingleBar({
    format: '{bar} {percentage}%, {eta_formatted} left {shard}',
    noTTYOutput: true,
    notTTYSchedule: 5000,
  });
  const bytes = (pieces: Plan['shards'][number]['items']): number =>
    pieces.reduce((sum, piece) => sum + bytesOf(piece), 0);
  bar.start(
    plan.shards.reduce((sum, { items }) => sum + bytes(items), 0),
    0,
    { shard: '' },
  );
  try {
    return await importModel(source, plan, target, ({ name, items }) =>
      bar.increment(bytes(items), { shard: name }),
    );
  } finally {
    bar.stop();
  }
}

function report({ id, out }: Target, { digest, bytes, error }: Imported): void {
  const gain = 100 * (1 - error.squared / error.nearest);
  console.log(`${out}/${id}: ${(bytes / 1e6).toFixed(1)} MB, digest ${digest}`);
  console.log(
    `4-bit weights: relative error ${(100 * Math.sqrt(error.squared / error.total)).toFixed(2)}%; ` +
      `${gain.toFixed(1)}% less squared error than rounding to the nearest.`,
  );
}

function reportCheck({ layers, outputs, agreeing, positions }: Check): void {
  const widest = Math.max(...layers.map(({ name }) => name.length));
  const rows = [...layers, ...outputs].map(
    ({ name, error }) => `${name.padEnd(widest)}  ${(100 * error).toFixed(2).padStart(6)}%`,
  );
  console.log(['', 'error by layer', ...rows].join('\n'));
  console.log(`The likeliest is the same at ${agreeing} of ${positions} positions.`);
}
