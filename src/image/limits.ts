import { imageTooLarge } from './errors.ts';
import type { ImageHeader } from './header.ts';

/**
 * The largest images that are decoded, by what the decoding needs to hold. Pixels are width times
 * height; samples are the values of all components, as a progressive JPEG is held whole in them.
 */
export interface ImageLimits {
  readonly baseline_jpeg_pixels: number;
  readonly progressive_jpeg_samples: number;
  readonly png_samples: number;
  readonly interlaced_png_pixels: number;
}

/**
 * Set so that what is alive in an isolate stays under 100 MB with the largest image in the longest body, by
 * whatever route (scripts/torture/memory-peaks.ts: 88 MB at most). The engine, the caches and JavaScript take
 * some 45 of that, the body 12, and the rest is the decoder's: a progressive JPEG is held whole, two bytes a
 * sample, since its last scan may touch any block; an interlaced PNG too, three bytes a pixel; of other
 * pictures a band is held. Garbage comes on top, until V8 collects it.
 */
export const DEFAULT_LIMITS: ImageLimits = {
  baseline_jpeg_pixels: 24_000_000,
  progressive_jpeg_samples: 15_000_000, // 10 megapixels at 4:2:0, 5 without chroma subsampling
  png_samples: 36_000_000, // 12 megapixels, 9 with alpha, 6 of 16 bits
  interlaced_png_pixels: 4_000_000,
};

/** JPEG's own limit; without it a PNG of one row could be as wide as it likes. */
const MAX_SIDE = 65_535;

/** @throws image_too_large, before anything of the picture's size was allocated. */
export function checkLimits(header: ImageHeader, limits: ImageLimits): void {
  const { width, height } = header;
  if (width > MAX_SIDE || height > MAX_SIDE) {
    throw imageTooLarge(
      `The image is ${width}x${height}; neither side may be over ${MAX_SIDE}. Send a smaller one.`,
    );
  }
  const { kind, unit, size, limit } = measure(header, limits);
  if (size > limit) {
    const each = unit === 'samples' ? ` (${Number((size / (width * height)).toFixed(2))} a pixel)` : '';
    throw imageTooLarge(
      `The image is ${width}x${height}, ${(size / 1e6).toFixed(1)} million ${unit}${each}; ` +
        `${kind} may have ${limit / 1e6} million. Send a smaller one.`,
    );
  }
}

/** How much of what the largest image of its kind takes to decode. @throws image_too_large */
export function partOfLimit(header: ImageHeader, limits: ImageLimits): number {
  checkLimits(header, limits);
  const { size, limit } = measure(header, limits);
  return size / limit;
}

interface Measure {
  readonly kind: string;
  readonly unit: 'pixels' | 'samples';
  readonly size: number;
  readonly limit: number;
}

function measure({ encoding, width, height, samples }: ImageHeader, limits: ImageLimits): Measure {
  const pixels = { unit: 'pixels', size: width * height } as const;
  switch (encoding) {
    case 'baseline_jpeg':
      return { kind: 'a baseline JPEG', ...pixels, limit: limits.baseline_jpeg_pixels };
    case 'progressive_jpeg':
      return {
        kind: 'a progressive JPEG',
        unit: 'samples',
        size: samples,
        limit: limits.progressive_jpeg_samples,
      };
    case 'png':
      return { kind: 'a PNG', unit: 'samples', size: samples, limit: limits.png_samples };
    case 'interlaced_png':
      return { kind: 'an interlaced PNG', ...pixels, limit: limits.interlaced_png_pixels };
  }
}
