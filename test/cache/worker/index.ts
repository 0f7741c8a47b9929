import type { ExecutionContext, KVNamespace, R2Bucket } from '@cloudflare/workers-types';
import { cacheApiTier } from '../../../src/cache/cache-api.ts';
import type { CacheTier } from '../../../src/cache/cache-tier.ts';
import { createEmbedsCache } from '../../../src/cache/embeds-cache.ts';
import type { EmbedsCache } from '../../../src/cache/embeds-cache.ts';
import { kvTier } from '../../../src/cache/kv.ts';
import { r2Tier } from '../../../src/cache/r2.ts';
import { computeSlowly } from './compute-slowly.ts';

/**
 * The cache behind HTTP, so that tests reach it in the real runtime.
 * `PUT /<tier>/<key>` stores raw bytes, `GET` reads them; `POST` asks the cache, `POST ?lookup` without
 * computing; `GET /failures` reads the log.
 */
interface Bindings {
  readonly KV: KVNamespace;
  readonly R2: R2Bucket;
}

const embedsCaches = new Map<string, EmbedsCache>();
const failures: string[] = [];

export default {
  async fetch(request: Request, bindings: Bindings, context: ExecutionContext): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/failures') return Response.json(failures);
    const [, name = '', key = ''] = pathname.split('/');
    const tier = tierOf(name, bindings);
    if (request.method === 'PUT') {
      await tier.put(key, new Uint8Array(await request.arrayBuffer()));
      return new Response();
    }
    if (request.method === 'GET') return new Response((await tier.get(key)) ?? null);

    const cache = cacheOver(tier);
    if (searchParams.has('lookup')) return Response.json((await cache.get(key)) ?? null);
    const caller = {
      signal: request.signal,
      waitUntil: (work: Promise<unknown>) => context.waitUntil(work),
    };
    const found = cache.getOrCompute(key, () => computeSlowly(key, searchParams), caller);
    return found.then(
      ({ value, ...found }) => Response.json({ ...found, shape: value.shape, data: [...value.data] }),
      (error: unknown) => new Response(String(error), { status: 500 }),
    );
  },
};

function tierOf(name: string, bindings: Bindings): CacheTier {
  if (name === 'kv') return kvTier(bindings.KV);
  if (name === 'r2') return r2Tier(bindings.R2);
  return cacheApiTier(caches);
}

function cacheOver(tier: CacheTier): EmbedsCache {
  const known = embedsCaches.get(tier.name);
  const cache =
    known ??
    createEmbedsCache({
      max_bytes: 1 << 20,
      tier,
      onError: ({ tier, operation, error }) => failures.push(`${tier} ${operation}: ${String(error)}`),
    });
  embedsCaches.set(tier.name, cache);
  return cache;
}
