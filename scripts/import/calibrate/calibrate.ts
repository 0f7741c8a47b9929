import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { presentFiles } from '../files.ts';
import { importModel, placesOf, type Source, type Target } from '../import-model.ts';
import type { Plan } from '../plan.ts';
import { showShards, type Show } from '../progress.ts';
import { fingerprintOf } from '../state.ts';
import { hearInputs, type HeardProducts } from './hear-inputs.ts';
import { openHeard, writeHeard, type HeardFile } from './heard-file.ts';
import { QUESTION, samplesOf, TEXTS } from './samples.ts';

/** What a model's layers read of photos: they can be rounded for it. */
export interface Calibration extends Pick<HeardFile, 'inputsOf'> {
  /** Of all that decides it. */
  readonly fingerprint: string;
  /** Takes away what stands on the disk. */
  remove(): Promise<void>;
}

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
  const beside = join(out, `${id}.calibration`);
  const path = join(beside, 'inputs');
  const files = [...checkpoint.files, ...(await presentFiles(folder))].map((name) => join(folder, name));
  const fingerprint = await fingerprintOf([...files, ...photos], {
    ...{ config, shards: placesOf(plan), QUESTION, TEXTS },
  });

  const before = openHeard(path, fingerprint);
  const heard: HeardProducts = before?.all() ?? new Map<string, never>();
  before?.close();
  if (!before) {
    const draft = { id: DRAFT, out: beside };
    await showShards(show, plan, (onShard) => importModel(source, plan, draft, onShard));
    await writeHeard(path, fingerprint, 0, heard);
  }
  const samples = await samplesOf(join(beside, DRAFT), photos, hearInputs(heard));
  await show(samples.length, async (advance) => {
    for (const [i, sample] of samples.entries()) {
      if (i >= (before?.samples ?? 0)) {
        await sample.run();
        await writeHeard(path, fingerprint, i + 1, heard);
      }
      advance(1, sample.name);
    }
  });

  const file = openHeard(path, fingerprint);
  return {
    fingerprint,
    inputsOf: (name) => file?.inputsOf(name),
    async remove() {
      file?.close();
      await rm(beside, { recursive: true });
    },
  };
}

const DRAFT = 'draft';
