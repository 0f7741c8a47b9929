import { canonicalJson } from './canonical-json.ts';
import type { JsonValue } from './canonical-json.ts';
import type { ImageHandle } from './image-handle.ts';
import { sha256Hex } from './sha256.ts';

/** Everything that the embeddings of an image depend on. */
export interface CacheKeyParts {
  readonly image: ImageHandle;
  /** The preprocessing configuration, as preprocessor_config.json gives it. */
  readonly preprocessing: JsonValue;
  /** The digest of the whole bundle, so that no weights answer for others. */
  readonly bundle_digest: string;
  /** Changes whenever the code that makes embeddings of pixels gives other numbers. */
  readonly engine_version: string;
  /** A server's secret, or one of each API key: whoever lacks it cannot name the entry. */
  readonly salt?: string;
}

/** 64 lower-case hex digits: the SHA-256 of one JSON array, in which no part can run into the next. */
export type CacheKey = string;

export async function cacheKey(parts: CacheKeyParts): Promise<CacheKey> {
  const { image, preprocessing, bundle_digest, engine_version, salt } = parts;
  const text = canonicalJson([image, preprocessing, bundle_digest, engine_version, salt ?? null]);
  return sha256Hex(new TextEncoder().encode(text));
}
