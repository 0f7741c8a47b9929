import { sha256Hex } from '../cache/sha256.ts';
import type { Access } from './access.ts';

/**
 * What stands in the cache's keys for the deployment and the caller, so that what one API key has cached
 * and its handles are nothing to another. A digest: the key itself goes no further than this.
 */
export async function cacheSalt({ cache_salt }: Access, api_key?: string): Promise<string | undefined> {
  if (cache_salt === undefined && api_key === undefined) return undefined;
  const parts = ['glimpse cache salt', cache_salt ?? null, api_key ?? null];
  return sha256Hex(new TextEncoder().encode(JSON.stringify(parts)));
}
