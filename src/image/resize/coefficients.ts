/**
 * The weights of Pillow's antialiased resize along one axis (`precompute_coeffs` and
 * `normalize_coeffs_8bpc` of src/libImaging/Resample.c), in its 22-bit fixed point, so that the
 * results are Pillow's to the bit.
 */

export type Filter = 'bilinear' | 'bicubic' | 'lanczos';

/** Bits behind the point: 32, less 8 of the pixel and 2 for sums that overshoot. */
export const PRECISION_BITS = 32 - 8 - 2;

/** For each output position the input positions it reads, and with what weight. */
export interface Coefficients {
  readonly first: Int32Array; // [outputs] the first input position
  readonly count: Int32Array; // [outputs]
  readonly weights: Int32Array; // [outputs, stride]
  readonly stride: number;
}

const SUPPORT = { bilinear: 1, bicubic: 2, lanczos: 3 };

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

const CURVE: Record<Filter, (x: number) => number> = {
  bilinear: (x) => Math.max(0, 1 - Math.abs(x)),
  bicubic: (x) => {
    const a = -0.5;
    const d = Math.abs(x);
    if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
  },
  lanczos: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0),
};

/** The part of a resized axis that is wanted: `length` positions from `start` of `resized` ones. */
export interface Window {
  readonly resized: number;
  readonly start: number;
  readonly length: number;
}

export function axisCoefficients(input: number, window: Window, filter: Filter): Coefficients {
  const scale = input / window.resized;
  const filterScale = Math.max(1, scale);
  const support = SUPPORT[filter] * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(window.length);
  const count = new Int32Array(window.length);
  const weights = new Int32Array(window.length * stride);

  for (let i = 0; i < window.length; i++) {
    const center = (window.start + i + 0.5) * scale;
    const from = Math.max(0, Math.trunc(center - support + 0.5));
    const to = Math.min(input, Math.trunc(center + support + 0.5));
    const curve = Array.from({ length: to - from }, (_, x) =>
      CURVE[filter]((x + from - center + 0.5) * (1 / filterScale)),
    );
    const sum = curve.reduce((a, b) => a + b, 0);
    const fixed = curve.map((w) => toFixed(sum === 0 ? w : w / sum));
    // Without zeros at the ends: an axis that keeps its length has one weight a position.
    const skipped = Math.max(
      0,
      fixed.findIndex((w) => w !== 0),
    );
    const kept = fixed.slice(skipped, fixed.findLastIndex((w) => w !== 0) + 1);
    first[i] = from + skipped;
    count[i] = kept.length;
    weights.set(kept, i * stride);
  }
  return { first, count, weights, stride };
}

const toFixed = (weight: number): number =>
  Math.trunc((weight < 0 ? -0.5 : 0.5) + weight * (1 << PRECISION_BITS));
