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
export const MODELS = ['tiny-llava', 'tiny-smolvlm', 'tiny-vit-gpt2', 'tiny-donut', 'tiny-trocr'] as const;
export type Model = (typeof MODELS)[number];

/** As on the card of donut-base-finetuned-docvqa. */
const TASK_PROMPTS: Readonly<Partial<Record<Model, string>>> = {
  'tiny-donut': '<s_docvqa><s_question>{user_input}</s_question><s_answer>',
};
/** Those that read no text. */
export const isCaptioner = (model: Model): boolean => ['tiny-vit-gpt2', 'tiny-trocr'].includes(model);

/** What PyTorch answers: make.py's `golden`. */
export interface Golden {
  /** The shape of its image. */
  readonly pixel_values: readonly [batch: number, channels: number, height: number, width: number];
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
  await importFolder(folder, await chooseGraphs(folder, []), { id: model, out }, TASK_PROMPTS[model]);
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
