import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createNodePipeline, NO_REQUEST } from '../../../src/node.ts';
import type { CreateModel } from '../../../src/pipeline/loaded-bundle.ts';
import type { Pipeline } from '../../../src/pipeline/pipeline.ts';

/** Paths of a folder's photos, in the order of their names. @throws Error where there is none */
export async function listPhotos(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new Error(`--calibrate ${folder}: there is no folder that can be read.`, { cause });
  });
  const photos = names.filter((name) => /\.(jpe?g|png)$/i.test(name)).sort();
  if (photos.length === 0) throw new Error(`--calibrate ${folder} has no photo: no .jpg, .jpeg or .png.`);
  return photos.map((name) => join(folder, name));
}

/** What is asked about each photo, and how long the answers are. */
export const QUESTION = 'Describe this image.';
const ANSWER = { max_new_tokens: 32, do_sample: false, num_beams: 1 };

/** What the text half of a dual encoder reads: CLIP's template (Radford et al., 2021), and what photos show. */
export const TEXTS: readonly string[] = (
  'man woman child crowd dog cat horse bird cow elephant car bus train bicycle airplane boat street building ' +
  'bridge mountain beach forest river flower garden kitchen table chair bed pizza cake book clock phone sunset'
)
  .split(' ')
  .flatMap((thing) => [
    `a photo of a ${thing}`,
    `a blurry black and white photo of two people and a ${thing}`,
  ]);

/** A piece of the work: a photo, or the texts. */
export interface Sample {
  readonly name: string;
  run(): Promise<unknown>;
}

/**
 * What a bundle is shown: it describes each photo. A dual encoder embeds them, and the texts.
 * @param createModel makes the model that is shown them
 */
export async function samplesOf(
  bundle: string,
  photos: readonly string[],
  createModel: CreateModel,
): Promise<readonly Sample[]> {
  const pipeline = createNodePipeline(bundle, { createModel });
  const isDual = (await pipeline.bundle(NO_REQUEST)).kind === 'dual';
  const samples = photos.map((path) => ({ name: basename(path), run: () => show(pipeline, path, isDual) }));
  const texts = TEXTS.map((text) => ({ text, param: 'text' }));
  return isDual
    ? [...samples, { name: 'texts', run: () => pipeline.embedTexts(texts, NO_REQUEST) }]
    : samples;
}

async function show(pipeline: Pipeline, path: string, isDual: boolean): Promise<void> {
  const image = { bytes: new Uint8Array(await readFile(path)) };
  const question = { image, prompt: QUESTION, is_caption: true, generation: ANSWER };
  try {
    if (isDual) await pipeline.embed(image, NO_REQUEST);
    else await pipeline.ask({ ...question, ...NO_REQUEST });
  } catch (cause) {
    throw new Error(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
