/** Makes a bundle of a Hugging Face model folder: 4-bit weights in shards, with a manifest. */
import { makeBundle, type Target } from './bundle/target.ts';
import { runCommand } from './cli/run-command.ts';
import { IMPORT_USAGE, parseImportArguments, type ImportArguments } from './import/arguments.ts';
import { architectureOf } from './import/architectures/architecture-of.ts';
import { calibrate } from './import/calibrate/calibrate.ts';
import { listPhotos } from './import/calibrate/samples.ts';
import { checkBundle, type Check } from './import/check/check-bundle.ts';
import { openCheckpoint } from './import/checkpoint.ts';
import { describePlan } from './import/dry-run.ts';
import { readConfig, smallFiles, vocabularySize } from './import/files.ts';
import { importModel, type Imported, type Source } from './import/import-model.ts';
import { matchTensors } from './import/match.ts';
import { planBundle, type Plan } from './import/plan.ts';
import { showBar, showShards } from './import/progress.ts';
import { requireUsable } from './import/usable-files.ts';

await runCommand({ usage: IMPORT_USAGE, parse: parseImportArguments, run: importFolder });

async function importFolder(options: ImportArguments): Promise<void> {
  const { folder, eightBit, dryRun, check } = options;
  const photos = options.photos === undefined ? undefined : await listPhotos(options.photos);
  const config = await readConfig(folder);
  const architecture = architectureOf(config);
  const plan = planBundle(architecture, eightBit);
  const checkpoint = await openCheckpoint(folder);
  try {
    const tensors = matchTensors(architecture, checkpoint.tensors);
    const small = await smallFiles(folder, config, plan.modules_8bit);
    await requireUsable(folder, options.id, small);
    if (dryRun) {
      console.log(describePlan(architecture, plan, tensors, await vocabularySize(folder)));
      return;
    }
    const source = { folder, config, checkpoint, tensors, small };
    const make = (work: Target): Promise<Imported> => importInto(work, source, plan, photos);
    report(options, await makeBundle(folder, options, small, make));
    if (check) reportCheck(await checkBundle(source, plan, options));
  } finally {
    checkpoint.close();
  }
}

async function importInto(
  work: Target,
  source: Source,
  plan: Plan,
  photos: readonly string[] | undefined,
): Promise<Imported> {
  const calibration = photos && (await calibrate(source, plan, work, photos, showBar));
  try {
    return await showShards(showBar, plan, (onShard) =>
      importModel(source, plan, work, onShard, calibration),
    );
  } finally {
    calibration?.close();
  }
}

function report({ id, out }: Target, { digest, bytes, error }: Imported): void {
  console.log(`${out}/${id}: ${(bytes / 1e6).toFixed(1)} MB, digest ${digest}`);
  const relative = (100 * Math.sqrt(error.squared / error.total)).toFixed(2);
  console.log(
    error.squared === 0
      ? '4-bit weights: exact.'
      : `4-bit weights: relative error ${relative}%; ${gain(error)}.`,
  );
}

/** Whatever is not exact is not exact to the nearest either. */
function gain({ squared, nearest }: Imported['error']): string {
  const change = 100 * (squared / nearest - 1);
  return `${Math.abs(change).toFixed(1)}% ${change > 0 ? 'more' : 'less'} squared error than rounding to the nearest`;
}

function reportCheck({ layers, outputs, agreeing, positions }: Check): void {
  const widest = Math.max(...layers.map(({ name }) => name.length));
  const rows = [...layers, ...outputs].map(
    ({ name, error }) => `${name.padEnd(widest)}  ${(100 * error).toFixed(2).padStart(6)}%`,
  );
  console.log(['', 'error by layer', ...rows].join('\n'));
  console.log(`The likeliest is the same at ${agreeing} of ${positions} positions.`);
}
