import { createImageBudget } from '../admission/admission.ts';
import { holding } from '../admission/budget.ts';
import { cacheKey, type CacheKey } from '../cache/cache-key.ts';
import type { CachedEmbeds } from '../cache/entry.ts';
import type { EmbedsCache } from '../cache/embeds-cache.ts';
import { imageHandle, type ImageHandle } from '../cache/image-handle.ts';
import { GlimpseError } from '../errors.ts';
import { readHeader } from '../image/header.ts';
import { partOfLimit, type ImageLimits } from '../image/limits.ts';
import { preprocessImage } from '../image/preprocess.ts';
import type { LoadedBundle } from './loaded-bundle.ts';
import type { ImageEmbeds } from '../model/types.ts';
import type { FetchRemoteImage } from '../remote-image/fetch-remote-image.ts';
import { shared, type RequestContext } from './request-context.ts';
import { UNOBSERVED, type Observer } from './observer.ts';
import type { Stopwatch } from './timings.ts';

/** The image's encoded bytes, a URL that they are fetched from, or the handle that an earlier answer gave them. */
export type ImageInput =
  { readonly bytes: Uint8Array<ArrayBuffer> } | { readonly url: string } | { readonly handle: ImageHandle };

export interface EmbeddedImage {
  readonly image: ImageHandle;
  /** Names the image, its preprocessing and the weights at once. */
  readonly key: CacheKey;
  readonly image_embeds: CachedEmbeds;
  readonly cache: 'hit' | 'miss';
}

/** An image's embeddings: from the cache, or by decoding, resizing and the vision stage. */
export type EmbedImage = (
  input: ImageInput,
  bundle: LoadedBundle,
  context: RequestContext,
  stopwatch: Stopwatch,
) => Promise<EmbeddedImage>;

export interface EmbedImageConfig {
  readonly cache: EmbedsCache;
  readonly limits: ImageLimits;
  readonly fetchRemoteImage: FetchRemoteImage;
  readonly observer?: Observer;
}

/** Raise it when preprocessing or kernels change so that the same image gives other embeddings. */
const ENGINE_VERSION = '1';

/**
 * @throws image_not_found for a handle that no cache knows; what `fetchRemoteImage` throws; what
 * `preprocessImage` throws
 */
export function createEmbedImage(config: EmbedImageConfig): EmbedImage {
  const { cache, limits, fetchRemoteImage, observer = UNOBSERVED } = config;
  const admission = createImageBudget();

  return async (input, bundle, context, { time }) => {
    if ('handle' in input) {
      const image = input.handle;
      const key = await keyOf(image, bundle, context);
      const hit = await time('cache', () => cache.get(key));
      observer.onImage(hit?.tier ?? 'miss');
      if (hit !== undefined) return { image, key, image_embeds: hit.value, cache: 'hit' };
      throw new GlimpseError('image_not_found', `No image is cached as ${image}: send the image itself.`, {
        param: 'image',
      });
    }
    const bytes =
      'url' in input ? await time('fetch', () => fetchRemoteImage(input.url, context.signal)) : input.bytes;
    const image = await time('hash', () => imageHandle(bytes));
    const key = await keyOf(image, bundle, context);
    const compute = async (): Promise<ImageEmbeds> => {
      const part = partOfLimit(readHeader(bytes), limits);
      // Others may wait for this image too: one who leaves does not end the waiting.
      const applicant = { ...context, signal: new AbortController().signal };
      return holding(await time('queue', () => admission.acquire(part, applicant)), async () => {
        const pixel_values = await time('image', () =>
          preprocessImage(bytes, bundle.preprocessor_config, limits),
        );
        const encoder = await time('load', () => shared(context, bundle.model.encoder()));
        return time('vision', () => encoder.encode(pixel_values));
      });
    };
    const found = await cache.getOrCompute(key, compute, context);
    observer.onImage(found.cache === 'hit' ? found.tier : 'miss');
    return { image, key, image_embeds: found.value, cache: found.cache };
  };
}

function keyOf(image: ImageHandle, bundle: LoadedBundle, { cache_salt }: RequestContext): Promise<CacheKey> {
  return cacheKey({
    image,
    preprocessing: bundle.preprocessing,
    bundle_digest: bundle.digest,
    engine_version: ENGINE_VERSION,
    ...(cache_salt === undefined ? {} : { salt: cache_salt }),
  });
}
