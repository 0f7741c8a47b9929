import { basename, dirname } from 'node:path';
import { fileSource } from '../../src/bundle/sources/file.ts';
import { createEmbedsCache } from '../../src/cache/embeds-cache.ts';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import { createEngine, type Engine } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { modelsOn } from '../../src/model/create-model.ts';
import { loadBundle } from '../../src/pipeline/loaded-bundle.ts';
import { UNOBSERVED } from '../../src/pipeline/observer.ts';
import { createFetchRemoteImage } from '../../src/remote-image/fetch-remote-image.ts';
import { createPipeline, type Pipeline } from '../../src/pipeline/pipeline.ts';

export const BUNDLES = 'model-shards';
export const BUNDLE = 'glimpse-10m';
export const PROMPT = 'What is the man doing?';

export interface Hooks {
  /** Hears the name of each stage of a request when it ends. */
  readonly onStage?: (stage: string) => void;
  readonly onEngine?: (engine: Engine) => void;
  /** Hears of every token when it is decided. */
  readonly onToken?: () => void;
}

/** Where a bundle lies, and what the kernels may take for it. */
export interface BenchedBundle {
  readonly bundles: string;
  readonly id: string;
  readonly kernel_bytes: number;
}

/** In the Worker's limits. */
export const DEFAULT_BUNDLE: BenchedBundle = { bundles: BUNDLES, id: BUNDLE, kernel_bytes: 64 * 2 ** 20 };

/** A larger one. */
export function benchedBundle(folder: string): BenchedBundle {
  return { bundles: dirname(folder), id: basename(folder), kernel_bytes: 2 ** 28 };
}

/** The Worker's pipeline on Node, with nothing behind its memory cache. */
export function pipelineOnNode(
  { onStage = () => undefined, onEngine = () => undefined, onToken = () => undefined }: Hooks,
  { bundles, id, kernel_bytes }: BenchedBundle = DEFAULT_BUNDLE,
): Pipeline {
  return createPipeline({
    model: id,
    load: () =>
      loadBundle(
        fileSource(bundles),
        id,
        modelsOn(() => {
          const engine = createEngine(nodeKernelModules, kernel_bytes);
          onEngine(engine);
          return engine;
        }),
      ),
    cache: createEmbedsCache({ max_bytes: 4 * 2 ** 20, onError: () => undefined }),
    limits: DEFAULT_LIMITS,
    fetchRemoteImage: createFetchRemoteImage({ hosts: [] }),
    max_prefix_bytes: 16 * 2 ** 20,
    observer: { ...UNOBSERVED, onStage, onToken },
  });
}
