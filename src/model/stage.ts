import type { Bundle } from '../bundle/bundle.ts';
import type { Engine } from '../kernels/engine.ts';
import { lazy, type Lazy } from '../lazy.ts';
import { loadPart } from './load-part.ts';
import { createWeights, type Weights } from './weights.ts';

/** A part of a network that runs by itself, and its weights while it runs. */
export interface Stage<Part> {
  /** Its weights are in memory until `work` has ended, at least. */
  use<Result>(work: (part: Part) => Promise<Result>, signal?: AbortSignal): Promise<Result>;
}

/** The stages of one network. */
export interface Stages {
  /** Whether all of their weights are in memory. */
  readonly ready: boolean;
  /** One more, of the tensors of the given prefixes. */
  stage<Part>(prefixes: readonly string[], load: (weights: Weights) => Promise<Part>): Stage<Part>;
}

/** Stages whose weights are fetched at every use and let go behind it: a network that need never fit as a whole. */
export function streamedStages(engine: Engine, bundle: Bundle): Stages {
  return {
    ready: false,
    stage: (prefixes, load) => ({
      async use(work, signal) {
        const tensors = bundle.tensors(prefixes, signal);
        const weights = createWeights(engine, tensors);
        try {
          const part = await load(weights);
          await tensors.return(); // and with it the shard that it stands in
          return await work(part);
        } finally {
          weights.release();
        }
      },
    }),
  };
}

/** Stages whose weights stay once they have been used. */
export function residentStages(engine: Engine, bundle: Bundle): Stages {
  const parts: Lazy<unknown>[] = [];
  return {
    get ready() {
      return parts.every(({ ready }) => ready);
    },
    stage(prefixes, load) {
      const part = lazy(() => loadPart(engine, bundle, prefixes, load));
      parts.push(part);
      return { use: async (work) => work(await part.get()) };
    },
  };
}
