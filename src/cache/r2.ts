import type { R2Bucket } from '@cloudflare/workers-types';
import type { CacheTier } from './cache-tier.ts';

const PREFIX = 'image_embeds/';

/** An R2 bucket: one store for all data centres. How long entries stay is the bucket's lifecycle rule. */
export function r2Tier(bucket: R2Bucket): CacheTier {
  return {
    name: 'r2',
    async get(key) {
      const object = await bucket.get(PREFIX + key);
      return object ? new Uint8Array(await object.arrayBuffer()) : undefined;
    },
    async put(key, entry) {
      await bucket.put(PREFIX + key, entry);
    },
  };
}
