import UPNG, { type DecodedPng } from 'upng-js';
import { uint16 } from '../bytes.ts';
import { invalidImage } from '../errors.ts';
import { SAMPLES, type Png } from './chunks.ts';
import { unfilter } from './unfilter.ts';

const bitsPerPixel = ({ header: { colorType, bitDepth } }: Png): number => SAMPLES[colorType] * bitDepth;

/** Bytes of a scanline, its filter byte not counted. */
export const scanlineBytes = (png: Png, width: number): number => Math.ceil((width * bitsPerPixel(png)) / 8);

/**
 * Decodes consecutive scanlines of one picture, or of one pass of an interlaced one, and spoils `lines`.
 * What it gives is valid until it is called again.
 */
export type ScanlineDecoder = (lines: Uint8Array, rows: number) => Uint8Array; // [rows, width, 4]

/**
 * The pixels are made by upng-js. Its reading of files is not used: it inflates the whole picture
 * without a limit, checks no CRC and misreads narrow interlaced pictures.
 */
export function createScanlineDecoder(png: Png, width: number): ScanlineDecoder {
  const format = pixelFormat(png);
  const stride = scanlineBytes(png, width);
  const bytesPerPixel = Math.max(1, bitsPerPixel(png) / 8);
  const above = new Uint8Array(stride);
  let rgba = new Uint8Array(0);
  return (lines, rows) => {
    const data = unfilter(lines, stride, bytesPerPixel, above);
    above.set(data.subarray((rows - 1) * stride));
    if (isPlain(format)) {
      if (rgba.length < 4 * rows * width) rgba = new Uint8Array(4 * rows * width);
      writeRgba(data, format.ctype === 6 ? 4 : 3, rgba);
      return rgba;
    }
    return toRgba({ ...format, width, height: rows, data });
  };
}

/** Eight bits of red, green and blue, with or without alpha: what nearly all pictures have. */
const isPlain = ({ ctype, depth, tabs }: PixelFormat): boolean =>
  depth === 8 && (ctype === 6 || (ctype === 2 && tabs.tRNS === undefined));

/** Into a buffer that is kept: upng-js makes one for every call, and workerd was seen to keep them long. */
function writeRgba(pixels: Uint8Array, samples: 3 | 4, rgba: Uint8Array): void {
  if (samples === 4) {
    rgba.set(pixels);
    return;
  }
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    rgba[to] = pixels[from] ?? 0;
    rgba[to + 1] = pixels[from + 1] ?? 0;
    rgba[to + 2] = pixels[from + 2] ?? 0;
    rgba[to + 3] = 255;
  }
}

function toRgba(decoded: DecodedPng): Uint8Array {
  try {
    const [rgba] = UPNG.toRGBA8(decoded);
    if (!rgba) throw new Error('no frame');
    return new Uint8Array(rgba);
  } catch (cause) {
    throw invalidImage('The PNG could not be decoded.', cause);
  }
}

type PixelFormat = Pick<DecodedPng, 'ctype' | 'depth' | 'tabs'>;

function pixelFormat({ header, palette, transparency }: Png): PixelFormat {
  const { colorType: ctype, bitDepth: depth } = header;
  const hidden =
    transparency && Array.from({ length: transparency.length / 2 }, (_, i) => uint16(transparency, 2 * i));
  if (ctype === 3) {
    return { ctype, depth, tabs: { PLTE: palette ?? [], ...(transparency && { tRNS: transparency }) } };
  }
  if (ctype === 2) return { ctype, depth, tabs: hidden ? { tRNS: hidden } : {} };
  if (ctype === 0 && depth < 8) return greyPalette(depth, hidden?.[0]);
  if (ctype === 0) return { ctype, depth, tabs: hidden ? { tRNS: hidden[0] ?? 0 } : {} };
  return { ctype, depth, tabs: {} };
}

/**
 * Greys of less than 8 bits, as a palette: as greys, upng-js takes the lines for one run of bits,
 * which is wrong where a line does not end with a byte.
 */
function greyPalette(depth: number, hidden: number | undefined): PixelFormat {
  const greys = Array.from({ length: 2 ** depth }, (_, value) => value);
  const PLTE = greys.flatMap((value) => Array<number>(3).fill((value * 255) / (greys.length - 1)));
  const tRNS = greys.map((value) => (value === hidden ? 0 : 255));
  return { ctype: 3, depth, tabs: { PLTE, tRNS } };
}
