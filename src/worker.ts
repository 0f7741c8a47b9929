import type { Hono } from 'hono';
import { createApp } from './app.ts';
import { createEmbedsCache } from './cache/embeds-cache.ts';
import { access, bundleSource, cacheTier, remoteImages, type Bindings } from './config.ts';
import { DEFAULT_LIMITS } from './image/limits.ts';
import { errorFields, log } from './log.ts';
import { createMetrics } from './metrics/metrics.ts';
import { PAGE_FILES } from './page-files.ts';
import { loadBundle, type CreateModel } from './pipeline/loaded-bundle.ts';
import { createPipeline, type Pipeline } from './pipeline/pipeline.ts';
import { page } from './routes/page.ts';

const MEBIBYTE = 2 ** 20;
const MEMORY = {
  image_embeds: 4 * MEBIBYTE,
  prefixes: 4 * MEBIBYTE,
};

/** The Worker, whichever engine runs the models. */
export function createWorker(createModel: CreateModel): Hono<{ Bindings: Bindings }> {
  const metrics = createMetrics();
  let pipeline: Pipeline | undefined;

  /** One for all requests of the isolate: what is loaded stays loaded. */
  function pipelineFor(bindings: Bindings): Pipeline {
    pipeline ??= createPipeline({
      model: bindings.BUNDLE,
      load: () => loadBundle(bundleSource(bindings), bindings.BUNDLE, createModel),
      cache: createEmbedsCache({
        max_bytes: MEMORY.image_embeds,
        tier: cacheTier(bindings),
        onError: ({ tier, operation, error }) =>
          log('warn', 'cache', { tier, operation, ...errorFields(error) }),
      }),
      limits: DEFAULT_LIMITS,
      observer: metrics.observer,
      fetchRemoteImage: remoteImages(bindings),
      max_prefix_bytes: MEMORY.prefixes,
    });
    return pipeline;
  }

  const app = createApp(pipelineFor, { access, metrics, log });
  app.route('/', page(PAGE_FILES));
  return app;
}
