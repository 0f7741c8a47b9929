import type { CacheTier } from './cache-tier.ts';

const NAME = 'glimpse-image-embeds';
// The Cache API stores under URLs. `.invalid` (RFC 2606) is nobody's, so no request of the world meets it.
const ORIGIN = 'https://image-embeds.invalid/';
// What a key names never changes: the data centre drops it when it needs the room.
const CACHE_CONTROL = 'public, max-age=31536000, immutable';

/**
 * Cloudflare's Cache API: nothing to bind and nothing to pay; one cache a data centre. On `*.workers.dev`
 * it stores nothing, so there the isolate's memory is all there is unless KV or R2 is bound.
 */
export function cacheApiTier(caches: CacheStorage): CacheTier {
  return {
    name: 'cache-api',
    async get(key) {
      const cache = await caches.open(NAME);
      const response = await cache.match(ORIGIN + key);
      return response && new Uint8Array(await response.arrayBuffer());
    },
    async put(key, entry) {
      const cache = await caches.open(NAME);
      const headers = { 'content-type': 'application/octet-stream', 'cache-control': CACHE_CONTROL };
      await cache.put(ORIGIN + key, new Response(entry, { headers }));
    },
  };
}
