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
}

/** The Worker's pipeline on Node, with the Worker's memory limits and nothing behind its memory cache. */
export function pipelineOnNode({ onStage = () => undefined, onEngine = () => undefined }: Hooks): Pipeline {
  return createPipeline({
    model: BUNDLE,
    load: () =>
      loadBundle(
        fileSource(BUNDLES),
        BUNDLE,
        modelsOn(() => {
          const engine = createEngine(nodeKernelModules, 64 * 2 ** 20);
          onEngine(engine);
          return engine;
        }),
      ),
    cache: createEmbedsCache({ max_bytes: 4 * 2 ** 20, onError: () => undefined }),
    limits: DEFAULT_LIMITS,
    fetchRemoteImage: createFetchRemoteImage({ hosts: [] }),
    max_prefix_positions: 1024,
    observer: { ...UNOBSERVED, onStage },
  });
}
