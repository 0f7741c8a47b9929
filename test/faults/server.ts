import { createApp } from '../../src/app.ts';
import type { Retries } from '../../src/bundle/retries.ts';
import type { ShardSource } from '../../src/bundle/source.ts';
import type { CacheTier } from '../../src/cache/cache-tier.ts';
import { createEmbedsCache } from '../../src/cache/embeds-cache.ts';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import { createEngine } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { modelsOn } from '../../src/model/create-model.ts';
import { loadBundle } from '../../src/pipeline/loaded-bundle.ts';
import { createPipeline } from '../../src/pipeline/pipeline.ts';
import { createFetchRemoteImage } from '../../src/remote-image/fetch-remote-image.ts';
import type { AnswerBody } from '../../src/routes/answer-body.ts';
import type { ErrorBody } from '../../src/routes/error-response.ts';
import { json } from '../workerd/worker.ts';

/** The times of production, shortened: faults that hang take all of them. */
export const RETRIES: Retries = { retries: 2, backoff: 10, attempt: 1_500, total: 4_000 };

export interface Asked {
  readonly status: number;
  readonly retry_after: string | null;
  readonly body: Partial<AnswerBody & ErrorBody>;
  readonly milliseconds: number;
}

/** All of Glimpse on Node, as one isolate has it: asked over HTTP's Request and Response. */
export interface Server {
  ask(image: Uint8Array<ArrayBuffer> | string): Promise<Asked>;
  /** Any route that takes JSON. */
  post(path: string, body: unknown): Promise<Response>;
  /** Loads the vision half alone. */
  embed(image: Uint8Array<ArrayBuffer>): Promise<void>;
}

export function startServer(
  id: string,
  source: ShardSource,
  tier?: CacheTier,
  fetchRemoteImage = createFetchRemoteImage({ hosts: [] }),
): Server {
  const pipeline = createPipeline({
    model: id,
    load: () =>
      loadBundle(
        source,
        id,
        modelsOn(() => createEngine(nodeKernelModules, 2 ** 26)),
        RETRIES,
      ),
    cache: createEmbedsCache({ max_bytes: 2 ** 20, onError: () => undefined, ...(tier ? { tier } : {}) }),
    limits: DEFAULT_LIMITS,
    fetchRemoteImage,
    max_prefix_bytes: 4 * 2 ** 20,
  });
  const app = createApp(() => pipeline);
  const noRequest = { signal: new AbortController().signal, waitUntil: () => undefined };
  return {
    async ask(image) {
      const from = performance.now();
      const response = await app.request('/v1/query', { method: 'POST', body: question(image) });
      return {
        status: response.status,
        retry_after: response.headers.get('retry-after'),
        body: (await response.json()) as Asked['body'],
        milliseconds: performance.now() - from,
      };
    },
    post: async (path, body) => app.request(path, json(body)),
    async embed(image) {
      await pipeline.embed({ bytes: image }, noRequest);
    },
  };
}

function question(image: Uint8Array<ArrayBuffer> | string): FormData {
  const form = new FormData();
  form.append('image', typeof image === 'string' ? image : new Blob([image]));
  form.append('prompt', 'What is in the picture?');
  form.append('max_new_tokens', '8');
  return form;
}
