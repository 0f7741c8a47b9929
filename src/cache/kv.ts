import type { KVNamespace } from '@cloudflare/workers-types';
import type { CacheTier } from './cache-tier.ts';

const PREFIX = 'image_embeds/';
// KV keeps what has no end for ever; an image that nobody asks about for a month is cheap to see again.
const EXPIRATION_TTL = 30 * 24 * 60 * 60; // seconds

/** Workers KV: one store for all data centres, slow to agree, 25 MiB a value. */
export function kvTier(namespace: KVNamespace): CacheTier {
  return {
    name: 'kv',
    async get(key) {
      const entry = await namespace.get(PREFIX + key, 'arrayBuffer');
      return entry ? new Uint8Array(entry) : undefined;
    },
    put: (key, entry) => namespace.put(PREFIX + key, entry, { expirationTtl: EXPIRATION_TTL }),
  };
}
