import type { R2Bucket } from '@cloudflare/workers-types';
import type { ShardSource } from '../source.ts';

/** Bundles in an R2 bucket, under the keys `<bundle id>/<file name>`. */
export function r2Source(bucket: R2Bucket): ShardSource {
  return {
    async fetch(path) {
      const object = await bucket.get(path);
      return object?.body;
    },
  };
}
