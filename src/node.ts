/** Node only: the pipeline over a bundle's folder, where the Worker has its bindings. */
import { basename, dirname, resolve } from 'node:path';
import type { ShardSource } from './bundle/source.ts';
import { fileSource } from './bundle/sources/file.ts';
import { createEmbedsCache } from './cache/embeds-cache.ts';
import { DEFAULT_LIMITS } from './image/limits.ts';
import { createEngine } from './kernels/engine.ts';
import { nodeKernelModules } from './kernels/modules-node.ts';
import { modelsOn } from './model/create-model.ts';
import { loadBundle, type CreateModel } from './pipeline/loaded-bundle.ts';
import { createFetchRemoteImage } from './remote-image/fetch-remote-image.ts';
import { createPipeline, type Pipeline, type Query } from './pipeline/pipeline.ts';

const MEBIBYTE = 2 ** 20;
const MEMORY = {
  kernels: 256 * MEBIBYTE,
  image_embeds: 16 * MEBIBYTE,
  prefixes: 16 * MEBIBYTE,
};

const modelOnKernels = modelsOn(() => createEngine(nodeKernelModules, MEMORY.kernels));

export interface NodePipelineOptions {
  /** Hears the name of each of the bundle's files when it is asked for. */
  readonly onFetch?: (file: string) => void;
  /** Makes the bundle's model; without it, one that the kernels run. */
  readonly createModel?: CreateModel;
}

/**
 * The same pipeline as the Worker's, with nothing behind its memory cache.
 * @param folder a bundle: its name is the model's
 */
export function createNodePipeline(
  folder: string,
  { onFetch = () => undefined, createModel = modelOnKernels }: NodePipelineOptions = {},
): Pipeline {
  const path = resolve(folder);
  const model = basename(path);
  const source = heard(fileSource(dirname(path)), onFetch);
  return createPipeline({
    model,
    load: () => loadBundle(source, model, createModel),
    cache: createEmbedsCache({ max_bytes: MEMORY.image_embeds, onError: () => undefined }), // no tier, no errors
    limits: DEFAULT_LIMITS,
    fetchRemoteImage: createFetchRemoteImage({ hosts: [] }),
    max_prefix_bytes: MEMORY.prefixes,
  });
}

/** What a query has of its request, where there is none: nobody leaves, and all work is waited for. */
export const NO_REQUEST: Pick<Query, 'signal' | 'waitUntil'> = {
  signal: new AbortController().signal,
  waitUntil: () => undefined,
};

function heard(source: ShardSource, onFetch: (file: string) => void): ShardSource {
  return {
    fetch(path, signal) {
      onFetch(basename(path));
      return source.fetch(path, signal);
    },
  };
}
