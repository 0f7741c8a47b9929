import type { Band } from '../picture.ts';
import type { Turn } from '../orientation.ts';
import { axisCoefficients, PRECISION_BITS, type Coefficients, type Filter } from './coefficients.ts';
import type { Geometry } from './geometry.ts';

/** A resize that is fed a picture's rows as they are decoded and never holds the picture. */
export interface Resizer {
  push(band: Band): void;
  /** The upright resized window, once every row is in. */
  finish(): Uint8Array; // [y.length, x.length, 3]
}

/**
 * Pillow's two passes. Each row goes through the horizontal pass when it comes, is rounded to 8 bits
 * as Pillow does, and is added at once to the output rows that it has a weight in. Sums are held of those
 * output rows alone that are begun and not yet complete: all of 2048 squared would be 50 MB.
 *
 * A picture that is stored on its side is resized on its side and turned at the end: there the order
 * of the two passes, and so some roundings by one level, differ from Pillow's.
 */
export function createResizer(
  stored: { readonly width: number; readonly height: number },
  turn: Turn,
  geometry: Pick<Geometry, 'x' | 'y'>,
  filter: Filter,
): Resizer {
  const [xWindow, yWindow] = turn.transpose ? [geometry.y, geometry.x] : [geometry.x, geometry.y];
  const xAxis = axisCoefficients(stored.width, xWindow, filter);
  const yAxis = rowsToOutputs(axisCoefficients(stored.height, yWindow, filter), stored.height);
  const outWidth = xWindow.length;
  const outHeight = yWindow.length;
  const narrow = new Uint8Array(outWidth * 3);
  const pixels = new Uint8Array(outHeight * outWidth * 3);
  const sums = new Map<number, Int32Array>(); // of the output rows that are begun
  const left = yAxis.uses.slice(); // by output row: input rows that are still to come
  const spare: Int32Array[] = [];
  let nextRow = 0;

  function begin(output: number): Int32Array {
    const sum = (spare.pop() ?? new Int32Array(narrow.length)).fill(1 << (PRECISION_BITS - 1));
    sums.set(output, sum);
    return sum;
  }

  function end(output: number, sum: Int32Array): void {
    const [to, step] = turn.transpose ? [output * 3, outHeight * 3] : [output * narrow.length, 3];
    for (let x = 0; x < outWidth; x++) {
      for (let c = 0; c < 3; c++) pixels[to + x * step + c] = clip8(sum[x * 3 + c] ?? 0);
    }
    sums.delete(output);
    spare.push(sum);
  }

  return {
    push({ rgb, rows }) {
      for (let row = 0; row < rows; row++, nextRow++) {
        const y = turn.flipY ? stored.height - 1 - nextRow : nextRow;
        const from = yAxis.start[y] ?? 0;
        const to = yAxis.start[y + 1] ?? 0;
        if (from === to) continue; // outside of a centre crop
        resizeRow(rgb, row * stored.width * 3, stored.width, turn.flipX, xAxis, narrow);
        for (let i = from; i < to; i++) {
          const output = yAxis.output[i] ?? 0;
          const sum = sums.get(output) ?? begin(output);
          addRow(sum, narrow, yAxis.weight[i] ?? 0);
          left[output] = (left[output] ?? 0) - 1;
          if (left[output] === 0) end(output, sum);
        }
      }
    },
    finish: () => pixels,
  };
}

function resizeRow(
  rgb: Uint8Array,
  offset: number,
  width: number,
  flip: boolean,
  { first, count, weights, stride }: Coefficients,
  out: Uint8Array,
): void {
  const step = flip ? -3 : 3;
  for (let x = 0, to = 0; to < out.length; x++, to += 3) {
    const start = first[x] ?? 0;
    let at = offset + 3 * (flip ? width - 1 - start : start);
    let r = 1 << (PRECISION_BITS - 1);
    let g = r;
    let b = r;
    const end = x * stride + (count[x] ?? 0);
    for (let k = x * stride; k < end; k++, at += step) {
      const weight = weights[k] ?? 0;
      r += weight * (rgb[at] ?? 0);
      g += weight * (rgb[at + 1] ?? 0);
      b += weight * (rgb[at + 2] ?? 0);
    }
    out[to] = clip8(r);
    out[to + 1] = clip8(g);
    out[to + 2] = clip8(b);
  }
}

function addRow(sum: Int32Array, row: Uint8Array, weight: number): void {
  for (let i = 0; i < row.length; i++) sum[i] = (sum[i] ?? 0) + weight * (row[i] ?? 0);
}

const clip8 = (sum: number): number => Math.max(0, Math.min(255, sum >> PRECISION_BITS));

/** Coefficients by input row: row y has `weight[i]` in `output[i]` for i from start[y] to start[y + 1]. */
interface RowWeights {
  readonly start: Int32Array; // [rows + 1]
  readonly output: Int32Array;
  readonly weight: Int32Array;
  /** How many input rows have a weight in each output row. */
  readonly uses: Int32Array; // [outputs]
}

function rowsToOutputs({ first, count, weights, stride }: Coefficients, rows: number): RowWeights {
  const start = new Int32Array(rows + 1);
  const eachUse = (use: (row: number, output: number, weight: number) => void): void => {
    first.forEach((from, output) => {
      for (let k = 0; k < (count[output] ?? 0); k++) use(from + k, output, weights[output * stride + k] ?? 0);
    });
  };
  eachUse((row) => (start[row + 1] = (start[row + 1] ?? 0) + 1));
  for (let row = 0; row < rows; row++) start[row + 1] = (start[row + 1] ?? 0) + (start[row] ?? 0);

  const next = start.slice();
  const output = new Int32Array(start[rows] ?? 0);
  const weight = new Int32Array(output.length);
  eachUse((row, to, w) => {
    const at = next[row] ?? 0;
    next[row] = at + 1;
    output[at] = to;
    weight[at] = w;
  });
  return { start, output, weight, uses: count };
}
