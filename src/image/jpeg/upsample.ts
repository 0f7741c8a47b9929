import type { Component, Frame } from './markers.ts';
import type { Plane } from './samples.ts';

/** A band's rows of one component, and the rows of the neighbouring bands that smooth upsampling reads. */
export interface PlaneBand {
  readonly plane: Plane;
  readonly rows: number;
  readonly above: Uint8Array | null; // [>= width] null at the top of the picture
  readonly below: Uint8Array | null; // null at its bottom
}

/** Writes row `y` of a band, in the picture's full width, to `out`. */
export type RowUpsampler = (band: PlaneBand, y: number, out: Uint8Array) => void;

/**
 * How libjpeg-turbo brings a component to full size (jdsample.c): the triangle filter where it has one
 * (factors 2x1, 1x2 and 2x2, three samples or more across), else each sample repeated.
 */
export function upsamplerOf(component: Component, frame: Frame): RowUpsampler {
  const across = frame.maxH / component.h;
  const down = frame.maxV / component.v;
  const { width } = component;
  const smoothAcross = across === 2 && width > 2;
  const sums = new Uint16Array(width);

  if (across === 1 && down === 1) return (band, y, out) => out.set(rowOf(band, y).subarray(0, width));
  if (across === 1 && down === 2) {
    return (band, y, out) => {
      blendRows(band, y, sums);
      const bias = y % 2 === 0 ? 1 : 2;
      for (let x = 0; x < width; x++) out[x] = ((sums[x] ?? 0) + bias) >> 2;
    };
  }
  if (smoothAcross && down === 2) {
    return (band, y, out) => {
      blendRows(band, y, sums);
      spread(sums, width, out, 4, 8, 7);
    };
  }
  if (smoothAcross && down === 1) {
    return (band, y, out) => spread(rowOf(band, y), width, out, 2, 1, 2);
  }
  return (band, y, out) => {
    const row = rowOf(band, Math.floor(y / down));
    for (let x = 0; x < frame.width; x++) out[x] = row[Math.floor(x / across)] ?? 0;
  };
}

function rowOf({ plane, rows, above, below }: PlaneBand, y: number): Uint8Array {
  if (y < 0 && above) return above;
  if (y >= rows && below) return below;
  const inside = Math.max(0, Math.min(rows - 1, y));
  return plane.data.subarray(inside * plane.stride, (inside + 1) * plane.stride);
}

/** Three parts of the nearer row and one of the next nearest, times 4 in all. */
function blendRows(band: PlaneBand, y: number, sums: Uint16Array): void {
  const near = y >> 1;
  const nearRow = rowOf(band, near);
  const farRow = rowOf(band, y % 2 === 0 ? near - 1 : near + 1);
  for (let x = 0; x < sums.length; x++) sums[x] = 3 * (nearRow[x] ?? 0) + (farRow[x] ?? 0);
}

/** Two samples from each: three parts of its own value and one of the neighbour's on that side. */
function spread(
  row: Uint8Array | Uint16Array,
  width: number,
  out: Uint8Array,
  shift: number,
  biasLeft: number,
  biasRight: number,
): void {
  for (let x = 0; x < width; x++) {
    const own = row[x] ?? 0;
    const left = x === 0 ? own : (row[x - 1] ?? 0);
    const right = x === width - 1 ? own : (row[x + 1] ?? 0);
    out[2 * x] = (3 * own + left + biasLeft) >> shift;
    out[2 * x + 1] = (3 * own + right + biasRight) >> shift;
  }
}
