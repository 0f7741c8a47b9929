import { join } from 'node:path';
import type { Target } from '../../bundle/target.ts';
import { presentFiles } from '../files.ts';
import { importModel, placesOf, type Source } from '../import-model.ts';
import type { Plan } from '../plan.ts';
import { showShards, type Show } from '../progress.ts';
import { fingerprintOf } from '../state.ts';
import type { Calibration } from './calibration.ts';
import { hearInputs } from './hear-inputs.ts';
import { openHeard, writeHeard, type HeardFile } from './heard-file.ts';
import { QUESTION, samplesOf, TEXTS } from './samples.ts';

/**
 * Writes a bundle beside the target, rounded as without photos, and shows it the photos. What a run that was cut
 * off left is gone on with, photo by photo.
 */
export async function calibrate(
  source: Source,
  plan: Plan,
  { id, out }: Target,
  photos: readonly string[],
  show: Show,
): Promise<Calibration> {
  const { folder, config, checkpoint } = source;
  const files = [...checkpoint.files, ...(await presentFiles(folder))].map((name) => join(folder, name));
  const options = { config, shards: placesOf(plan), QUESTION, TEXTS };
  const fingerprint = await fingerprintOf([...files, ...photos], options);
  const beside = join(out, `${id}.calibration`);
  const work = { folder: beside, inputs: join(beside, 'inputs'), fingerprint };

  const before = openHeard(work.inputs, fingerprint);
  before?.close();
  if (!before) {
    const draft = { id: DRAFT, out: beside };
    await showShards(show, plan, (onShard) => importModel(source, plan, draft, onShard));
    await writeHeard(work.inputs, fingerprint, 0, new Map());
  }
  await showPhotos(work, photos, show);
  return openCalibration(work);
}

const DRAFT = 'draft';

interface Work {
  /** Of a draft of the bundle, and of what was heard. */
  readonly folder: string;
  readonly inputs: string;
  readonly fingerprint: string;
}

/** Goes on where the file ends, and writes it again behind every sample. */
async function showPhotos(work: Work, photos: readonly string[], show: Show): Promise<void> {
  const file = openWritten(work);
  const heard = file.all();
  file.close();
  const samples = await samplesOf(join(work.folder, DRAFT), photos, hearInputs(heard));
  await show(samples.length, async (advance) => {
    for (const [i, sample] of samples.entries()) {
      if (i >= file.samples) {
        await sample.run();
        await writeHeard(work.inputs, work.fingerprint, i + 1, heard);
      }
      advance(1, sample.name);
    }
  });
}

/** Apart from what was run: it is read product by product, and nothing else is kept. */
function openCalibration(work: Work): Calibration {
  return { ...openWritten(work), fingerprint: work.fingerprint };
}

function openWritten({ inputs, fingerprint }: Work): HeardFile {
  const file = openHeard(inputs, fingerprint);
  if (file === undefined) throw new Error(`${inputs} is gone: another import runs there.`);
  return file;
}
