import { spawn } from 'node:child_process';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { architectureOf } from '../../../../scripts/import/architectures/architecture-of.ts';
import { checkBundle, type Check } from '../../../../scripts/import/check/check-bundle.ts';
import { openCheckpoint } from '../../../../scripts/import/checkpoint.ts';
import { readConfig } from '../../../../scripts/import/files.ts';
import { matchTensors } from '../../../../scripts/import/match.ts';
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
    const source = { checkpoint, tensors: matchTensors(architecture, checkpoint.tensors) };
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

/** Layers before which no weights are in 4 bits. */
const EXACT = /patch_embedding$|blocks\.\d+\.project$/;

describe('errs less on a photo that it has not seen, at every layer and at the outputs', () => {
  it.each([
    ...['idefics3', 'smolvlm', 'llava-clip-llama', 'llava-siglip-qwen2', 'glimpse'].map((model) => ({
      model,
      outputs: ['logits'],
    })),
    ...['clip', 'siglip'].map((model) => ({ model, outputs: ['image_embeds', 'text_embeds'] })),
  ])('$model', async ({ model, outputs }) => {
    const [folder, out, photos] = [await answering(model), await scratch(), await calibrationPhotos()];
    await importInto(out, folder, 'searched');
    await importInto(out, folder, 'calibrated', '--calibrate', photos);
    const searched = await checkOnHeldOut(folder, out, 'searched');
    const calibrated = await checkOnHeldOut(folder, out, 'calibrated');
    const before = new Map([...searched.layers, ...searched.outputs].map(({ name, error }) => [name, error]));
    const all = [...calibrated.layers, ...calibrated.outputs.filter(({ name }) => outputs.includes(name))];
    const worse = all.filter(({ name, error }) => !EXACT.test(name) && error >= (before.get(name) ?? 0));
    expect(worse).toEqual([]);
    expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(outputs));
    expect(await readdir(out)).toEqual(['calibrated', 'searched']);
  });
});

/** Begins an import, and kills it when it has shown the model a photo. */
async function killAfterPhoto(args: readonly string[], inputs: string): Promise<void> {
  const child = spawn(process.execPath, ['scripts/import.ts', ...args]);
  const closed = new Promise((settle) => child.on('close', settle));
  const hasSeen = async (): Promise<boolean> =>
    /"samples":[1-9]/.test(await readFile(inputs, 'latin1').catch(() => ''));
  while (!(await hasSeen()) && child.exitCode === null) await setTimeout(1);
  child.kill('SIGKILL');
  await closed;
}

it('gives the same bytes again, also where it was killed between photos and goes on', async () => {
  const [folder, out, photos] = [await answering('siglip'), await scratch(), await calibrationPhotos()];
  const args = [folder, '--id', 'model', '--calibrate', photos, '--out'];
  const roundings = ({ stderr }: Ended): number => [...stderr.matchAll(/100%.*model-/g)].length;
  const whole = await run('import.ts', [...args, join(out, 'whole')]);
  expect([whole.code, roundings(whole)]).toEqual([0, 2]);

  await killAfterPhoto(
    [...args, join(out, 'resumed')],
    join(out, 'resumed.work/model/model.calibration/inputs'),
  );
  expect(await readdir(out)).toEqual(['resumed.work', 'whole']); // nothing that would be uploaded
  const resumed = await run('import.ts', [...args, join(out, 'resumed')]);
  expect([resumed.code, roundings(resumed)]).toEqual([0, 1]); // not rounded without photos once more
  expect(await contents(join(out, 'resumed/model'))).toEqual(await contents(join(out, 'whole/model')));
  expect(await readdir(out)).toEqual(['resumed', 'whole']);
});

describe('says what is wrong', () => {
  const importWith = async (photos: string, model = 'clip'): Promise<Ended> =>
    run('import.ts', [await answering(model), '--id', 'm', '--out', await scratch(), '--calibrate', photos]);

  it('no folder, and one without photos', async () => {
    const empty = await scratch();
    await writeFile(join(empty, 'photo.webp'), 'RIFF');
    for (const [photos, said] of [
      ['nowhere', 'no folder that can be read'],
      [empty, 'no .jpg, .jpeg or .png'],
    ] as const) {
      const { code, stderr } = await importWith(photos);
      expect([code, stderr]).toEqual([1, expect.stringMatching(`^--calibrate .*${said}`)]);
    }
  });

  it('a photo that cannot be read, by its name', async () => {
    const photos = await calibrationPhotos();
    await writeFile(join(photos, 'broken.jpg'), 'no photo');
    const { code, stderr } = await importWith(photos);
    expect([code, stderr]).toEqual([1, expect.stringContaining('broken.jpg: ')]);
  });

  it('a model that cannot be asked', async () => {
    const folder = await answering('smolvlm');
    await rm(join(folder, 'generation_config.json'), { force: true });
    await writeFile(join(folder, 'preprocessor_config.json'), '{"do_resize": false}');
    const args = [folder, '--id', 'm', '--out', await scratch(), '--calibrate', await calibrationPhotos()];
    const { code, stderr } = await run('import.ts', args);
    expect([code, stderr]).toEqual([1, expect.stringContaining('preprocessor_config.json')]);
  });
});
