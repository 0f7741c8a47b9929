import type { Fetcher, KVNamespace, R2Bucket } from '@cloudflare/workers-types';
import * as z from 'zod';
import { parseList, type Access } from './access/access.ts';
import { assetsSource } from './bundle/sources/assets.ts';
import { httpSource } from './bundle/sources/http.ts';
import { r2Source } from './bundle/sources/r2.ts';
import type { ShardSource } from './bundle/source.ts';
import { cacheApiTier } from './cache/cache-api.ts';
import type { CacheTier } from './cache/cache-tier.ts';
import { kvTier } from './cache/kv.ts';
import { r2Tier } from './cache/r2.ts';
import { createFetchRemoteImage, type FetchRemoteImage } from './remote-image/fetch-remote-image.ts';

/** What wrangler.toml binds: its comments say what each is for. */
export interface Bindings {
  readonly BUNDLE: string;
  readonly BUNDLE_SOURCE: string;
  readonly BUNDLE_URL?: string;
  readonly ASSETS?: Fetcher;
  readonly BUNDLES?: R2Bucket;
  readonly EMBEDS_KV?: KVNamespace;
  readonly EMBEDS_R2?: R2Bucket;
  readonly CACHE_SALT?: string;
  readonly API_KEYS?: string;
  readonly CORS_ORIGINS?: string;
  readonly REMOTE_IMAGE_HOSTS?: string;
}

const sourceSchema = z.enum(['assets', 'r2', 'https']);

/** @throws Error that names the binding to set: a deployment that lacks one should fail at once */
export function bundleSource(bindings: Bindings): ShardSource {
  const { ASSETS, BUNDLES, BUNDLE_URL } = bindings;
  switch (sourceSchema.parse(bindings.BUNDLE_SOURCE)) {
    case 'assets':
      return assetsSource(bound(ASSETS, 'ASSETS'));
    case 'r2':
      return r2Source(bound(BUNDLES, 'BUNDLES'));
    case 'https':
      return httpSource(bound(BUNDLE_URL, 'BUNDLE_URL'));
  }
}

/** The cache that outlives the isolate: KV or R2 where one is bound, else the Cache API. */
export function cacheTier({ EMBEDS_KV, EMBEDS_R2 }: Bindings): CacheTier {
  if (EMBEDS_KV) return kvTier(EMBEDS_KV);
  if (EMBEDS_R2) return r2Tier(EMBEDS_R2);
  return cacheApiTier(caches);
}

/** RFC 6750, section 2.1: no client could send another. */
const BEARER_TOKEN = /^[\w.~+/-]+=*$/;

/** Who may use the deployment, and from where. */
export function access({ API_KEYS, CORS_ORIGINS, CACHE_SALT }: Bindings): Access {
  const api_keys = parseList(API_KEYS);
  if (!api_keys.every((key) => BEARER_TOKEN.test(key))) {
    throw new Error(
      'API_KEYS: a key is made of letters, digits and - . _ ~ + / only, with = at its end if need be.',
    );
  }
  return {
    api_keys,
    cors_origins: parseList(CORS_ORIGINS),
    ...(CACHE_SALT ? { cache_salt: CACHE_SALT } : {}),
  };
}

/** Images are fetched from the hosts that the deployment names, and by default from none. */
export function remoteImages({ REMOTE_IMAGE_HOSTS }: Bindings): FetchRemoteImage {
  return createFetchRemoteImage({ hosts: parseList(REMOTE_IMAGE_HOSTS) });
}

function bound<T>(binding: T | undefined, name: string): T {
  if (binding === undefined) throw new Error(`wrangler.toml binds no ${name}, which BUNDLE_SOURCE asks for.`);
  return binding;
}
