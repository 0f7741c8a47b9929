/** Makes a bundle of a Hugging Face model folder: 4-bit weights in shards, with a manifest. */
import { ensureKernels } from './cli/ensure-kernels.ts';
import { runCommand } from './cli/run-command.ts';
import { IMPORT_USAGE, parseImportArguments, type ImportArguments } from './import/arguments.ts';
import { architectureOf } from './import/architectures/architecture-of.ts';
import { calibrate } from './import/calibrate/calibrate.ts';
import type { Calibration } from './import/calibrate/calibration.ts';
import { listPhotos } from './import/calibrate/samples.ts';
import { checkBundle, type Check } from './import/check/check-bundle.ts';
import { openCheckpoint } from './import/checkpoint.ts';
import { describePlan } from './import/dry-run.ts';
import { readConfig, vocabularySize } from './import/files.ts';
import { importModel, type Imported, type Source, type Target } from './import/import-model.ts';
import { matchTensors } from './import/match.ts';
import { planBundle, type Plan } from './import/plan.ts';
import { showBar, showShards } from './import/progress.ts';

await runCommand({ usage: IMPORT_USAGE, parse: parseImportArguments, run: importFolder });

async function importFolder(options: ImportArguments): Promise<void> {
  const { folder, eightBit, dryRun, check, photos, ...target } = options;
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
    const calibration = photos === undefined ? undefined : await showPhotos(source, plan, target, photos);
    const imported = await showShards(showBar, plan, (onShard) =>
      importModel(source, plan, target, onShard, calibration),
    );
    await calibration?.remove();
    report(target, imported);
    if (check) {
      ensureKernels();
      reportCheck(await checkBundle(source, plan, target));
    }
  } finally {
    checkpoint.close();
  }
}

async function showPhotos(source: Source, plan: Plan, target: Target, folder: string): Promise<Calibration> {
  const photos = await listPhotos(folder);
  ensureKernels();
  return calibrate(source, plan, target, photos, showBar);
}

function report({ id, out }: Target, { digest, bytes, error }: Imported): void {
  const change = 100 * (error.squared / error.nearest - 1);
  console.log(`${out}/${id}: ${(bytes / 1e6).toFixed(1)} MB, digest ${digest}`);
  console.log(
    `4-bit weights: relative error ${(100 * Math.sqrt(error.squared / error.total)).toFixed(2)}%; ` +
      `${Math.abs(change).toFixed(1)}% ${change > 0 ? 'more' : 'less'} squared error than rounding to the nearest.`,
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
