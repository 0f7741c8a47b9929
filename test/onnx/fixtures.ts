import { readFileSync } from 'node:fs';
import { createEmbedsCache } from '../../src/cache/embeds-cache.ts';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import type { GenerativeBundle } from '../../src/pipeline/loaded-bundle.ts';
import { createPipeline, type Pipeline } from '../../src/pipeline/pipeline.ts';
import { createFetchRemoteImage } from '../../src/remote-image/fetch-remote-image.ts';
import { chooseGraphs } from '../../scripts/onnx/choose-graphs.ts';
import { importFolder } from '../../scripts/onnx/import-folder.ts';
import { openOnnxBundle } from '../../scripts/onnx/open-bundle.ts';

/** Models in transformers.js' layout, made by make.py. */
export const FOLDER = 'test/fixtures/onnx';
export const MODELS = ['tiny-llava', 'tiny-vit-gpt2', 'tiny-donut'] as const;
export type Model = (typeof MODELS)[number];

/** What PyTorch answers: make.py's `golden`. */
export interface Golden {
  readonly prompt_ids: readonly number[];
  readonly greedy: readonly number[];
  readonly beams: readonly number[];
}

export function golden(model: Model): Golden {
  const goldens = JSON.parse(readFileSync(`${FOLDER}/goldens.json`, 'utf8')) as Record<Model, Golden>;
  return goldens[model];
}

export async function importModel(model: Model, out: string): Promise<void> {
  const folder = `${FOLDER}/${model}`;
  await importFolder(folder, await chooseGraphs(folder, []), out, model);
}

/** A fixture imported to build/ and opened on Node. */
export async function openModel(model: Model, out: string): Promise<GenerativeBundle> {
  await importModel(model, out);
  return openOnnxBundle(out, model);
}

export function pipelineOf(model: Model, bundle: GenerativeBundle): Pipeline {
  return createPipeline({
    model,
    load: () => Promise.resolve(bundle),
    cache: createEmbedsCache({ max_bytes: 2 ** 20, onError: () => undefined }),
    limits: DEFAULT_LIMITS,
    fetchRemoteImage: createFetchRemoteImage({ hosts: [] }),
    max_prefix_bytes: 2 ** 20,
  });
}
