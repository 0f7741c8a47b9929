import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { architectureOf } from '../../../../scripts/import/architectures/architecture.ts';
import { checkBundle, type Check } from '../../../../scripts/import/check/check-bundle.ts';
import { openCheckpoint } from '../../../../scripts/import/checkpoint.ts';
import { readConfig } from '../../../../scripts/import/files.ts';
import { planBundle } from '../../../../scripts/import/plan.ts';
import { DEFAULT_LIMITS } from '../../../../src/image/limits.ts';
import { preprocessImage } from '../../../../src/image/preprocess.ts';
import { createNodePipeline, NO_REQUEST } from '../../../../src/node.ts';
import { run, type Ended } from '../../command.ts';
import { scratch } from '../fixtures.ts';
import { answering } from './answering.ts';

const PHOTOS = 'test/fixtures/photos';
const HELD_OUT = 'astronaut.png';

/** All photos but the one that is held out. */
async function calibrationPhotos(): Promise<string> {
  const folder = await scratch();
  for (const name of await readdir(PHOTOS)) {
    if (name !== HELD_OUT) await cp(join(PHOTOS, name), join(folder, name));
  }
  return folder;
}

async function importInto(
  out: string,
  folder: string,
  id: string,
  ...options: readonly string[]
): Promise<Ended> {
  const ended = await run('import.ts', [folder, '--id', id, '--out', out, ...options]);
  if (ended.code !== 0) throw new Error(ended.stderr);
  return ended;
}

/** How far a bundle is from the published weights, on the photo that no calibration has seen. */
async function checkOnHeldOut(folder: string, out: string, id: string): Promise<Check> {
  const bundle = await createNodePipeline(join(out, id)).bundle(NO_REQUEST);
  const photo = new Uint8Array(await readFile(join(PHOTOS, HELD_OUT)));
  const config = await readConfig(folder);
  const architecture = architectureOf(config);
  const checkpoint = await openCheckpoint(folder);
  try {
    const pixel_values = await preprocessImage(photo, bundle.preprocessor_config, DEFAULT_LIMITS);
    const source = { folder, config, architecture, checkpoint };
    return await checkBundle(source, planBundle(architecture, []), { id, out }, pixel_values);
  } finally {
    checkpoint.close();
  }
}

async function contents(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(folder)).sort();
  const files = names.map(
    async (name) => [name, (await readFile(join(folder, name))).toString('base64')] as const,
  );
  return Object.fromEntries(await Promise.all(files));
}

describe('errs less at the outputs on a photo that it has not seen', () => {
  it.each(['idefics3', 'smolvlm', 'llava-clip-llama', 'llava-siglip-qwen2', 'clip', 'siglip', 'glimpse'])(
    '%s',
    async (model) => {
      const [folder, out, photos] = [await answering(model), await scratch(), await calibrationPhotos()];
      await importInto(out, folder, 'searched');
      await importInto(out, folder, 'calibrated', '--calibrate', photos);
      const [searched, calibrated] = [
        await checkOnHeldOut(folder, out, 'searched'),
        await checkOnHeldOut(folder, out, 'calibrated'),
      ];
      console.log(
        model,
        JSON.stringify([searched.outputs, calibrated.outputs, searched.layers, calibrated.layers], (k, v) =>
          typeof v === 'number' ? Math.round(v * 1e5) / 1e5 : v,
        ),
      );
      expect(await readdir(out)).toEqual(['calibrated', 'searched']);
    },
  );
});
