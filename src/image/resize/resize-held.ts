import type { Pause } from '../picture.ts';
import type { Filter } from './coefficients.ts';
import { whole, type Size } from './geometry.ts';
import { createResizer } from './resizer.ts';

/** A picture in memory. */
export interface Pixels extends Size {
  readonly rgb: Uint8Array; // [height, width, 3]
}

const ROWS_PER_BAND = 64;

/** As Pillow does. @returns the picture itself where it has the size */
export async function resizeHeld(picture: Pixels, size: Size, filter: Filter, pause: Pause): Promise<Pixels> {
  const { rgb, width, height } = picture;
  if (width === size.width && height === size.height) return picture;
  const upright = { flipX: false, flipY: false, transpose: false };
  const resizer = createResizer(picture, upright, { x: whole(size.width), y: whole(size.height) }, filter);
  const bands = Math.ceil(height / ROWS_PER_BAND);
  for (let row = 0; row < height; row += ROWS_PER_BAND) {
    const rows = Math.min(ROWS_PER_BAND, height - row);
    resizer.push({ rgb: rgb.subarray(row * width * 3, (row + rows) * width * 3), rows });
    await pause((size.width * size.height) / bands);
  }
  return { ...size, rgb: resizer.finish() };
}
