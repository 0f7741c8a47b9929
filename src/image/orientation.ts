import { hasText } from './bytes.ts';

/** EXIF tag 0x0112: how the stored rows and columns are to be turned for viewing. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** The steps from the stored picture to the upright one: mirror the stored axes, then swap them. */
export interface Turn {
  readonly flipX: boolean;
  readonly flipY: boolean;
  readonly transpose: boolean;
}

export const turnOf = (orientation: Orientation): Turn => ({
  flipX: [2, 3, 7, 8].includes(orientation),
  flipY: [3, 4, 6, 7].includes(orientation),
  transpose: orientation >= 5,
});

/** The turn to a picture that lies on its right side: the upright one by 90 degrees clockwise. */
export const turnClockwise = ({ flipX, flipY, transpose }: Turn): Turn =>
  transpose ? { flipX: !flipX, flipY, transpose: false } : { flipX, flipY: !flipY, transpose: true };

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;

/**
 * The orientation in an EXIF block (a TIFF file, as in JPEG's APP1 and PNG's eXIf), or 1 where the
 * block is damaged or silent: viewers show such a picture as it is stored. Only the first directory
 * is read, so that no chain of offsets can be followed in a circle.
 */
export function readOrientation(tiff: Uint8Array): Orientation {
  const littleEndian = hasText(tiff, 'II*\0');
  if ((!littleEndian && !hasText(tiff, 'MM\0*')) || tiff.length < 8) return 1;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const directory = view.getUint32(4, littleEndian);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, littleEndian);
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + 12 * entry;
    if (at + 12 > tiff.length) return 1;
    if (view.getUint16(at, littleEndian) !== ORIENTATION_TAG) continue;
    const value = view.getUint16(at + 8, littleEndian);
    return view.getUint16(at + 2, littleEndian) === SHORT && isOrientation(value) ? value : 1;
  }
  return 1;
}

const isOrientation = (value: number): value is Orientation => value >= 1 && value <= 8;
