import type { CacheKey } from './cache-key.ts';

/** A store that outlives the isolate. It may forget, fail or lie: entries carry their own digest. */
export interface CacheTier {
  readonly name: 'cache-api' | 'kv' | 'r2';
  get(key: CacheKey): Promise<Uint8Array<ArrayBuffer> | undefined>;
  put(key: CacheKey, entry: Uint8Array<ArrayBuffer>): Promise<void>;
}
