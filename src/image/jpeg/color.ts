import type { Jpeg } from './scans.ts';

/** Turns a row of full-size components into RGB. */
export type ToRgb = (
  components: readonly Uint8Array[],
  rgb: Uint8Array,
  offset: number,
  width: number,
) => void;

/** The colour space of a JPEG, by libjpeg's rules (`default_decompress_parms`, jdapimin.c). */
export function toRgbOf({ frame, jfif, adobeTransform }: Jpeg): ToRgb {
  if (frame.components.length === 1) return greyToRgb;
  if (frame.components.length === 4) {
    return adobeTransform === null || adobeTransform === 0 ? cmykToRgb : ycckToRgb;
  }
  if (jfif) return ycbcrToRgb;
  if (adobeTransform !== null) return adobeTransform === 0 ? rgbToRgb : ycbcrToRgb;
  return String.fromCharCode(...frame.components.map(({ id }) => id)) === 'RGB' ? rgbToRgb : ycbcrToRgb;
}

const greyToRgb: ToRgb = ([grey = NONE], rgb, offset, width) => {
  for (let x = 0, to = offset; x < width; x++, to += 3) {
    rgb[to] = rgb[to + 1] = rgb[to + 2] = grey[x] ?? 0;
  }
};

const rgbToRgb: ToRgb = ([red = NONE, green = NONE, blue = NONE], rgb, offset, width) => {
  for (let x = 0, to = offset; x < width; x++, to += 3) {
    rgb[to] = red[x] ?? 0;
    rgb[to + 1] = green[x] ?? 0;
    rgb[to + 2] = blue[x] ?? 0;
  }
};

/** JFIF's matrix in libjpeg's 16-bit fixed point (jdcolor.c). */
const ycbcrToRgb: ToRgb = ([luma = NONE, blueness = NONE, redness = NONE], rgb, offset, width) => {
  for (let x = 0, to = offset; x < width; x++, to += 3) {
    const y = luma[x] ?? 0;
    const cb = (blueness[x] ?? 0) - 128;
    const cr = (redness[x] ?? 0) - 128;
    rgb[to] = clamp(y + ((91881 * cr + 32768) >> 16));
    rgb[to + 1] = clamp(y + ((-22554 * cb - 46802 * cr + 32768) >> 16));
    rgb[to + 2] = clamp(y + ((116130 * cb + 32768) >> 16));
  }
};

/** As Pillow: four-component files hold inverted ink (Adobe's way), with or without Adobe's segment. */
const cmykToRgb: ToRgb = ([cyan = NONE, magenta = NONE, yellow = NONE, key = NONE], rgb, offset, width) => {
  for (let x = 0, to = offset; x < width; x++, to += 3) {
    const light = key[x] ?? 0;
    rgb[to] = clamp(light - product(255 - (cyan[x] ?? 0), light));
    rgb[to + 1] = clamp(light - product(255 - (magenta[x] ?? 0), light));
    rgb[to + 2] = clamp(light - product(255 - (yellow[x] ?? 0), light));
  }
};

/** YCCK is CMYK whose first three, inverted, were turned to YCbCr. */
const ycckToRgb: ToRgb = (components, rgb, offset, width) => {
  ycbcrToRgb(components, rgb, offset, width);
  const key = components[3] ?? NONE;
  for (let x = 0, to = offset; x < width; x++, to += 3) {
    const light = key[x] ?? 0;
    for (let c = to; c < to + 3; c++) rgb[c] = clamp(light - product(rgb[c] ?? 0, light));
  }
};

const NONE = new Uint8Array(0);

const clamp = (value: number): number => Math.max(0, Math.min(255, value));

/** a * b / 255, rounded (Pillow's MULDIV255). */
function product(a: number, b: number): number {
  const t = a * b + 128;
  return ((t >> 8) + t) >> 8;
}
