import { readHeader } from './header.ts';
import { decodeJpeg } from './jpeg/decode.ts';
import { checkLimits, type ImageLimits } from './limits.ts';
import { turnClockwise, turnOf, type Turn } from './orientation.ts';
import type { Pause } from './picture.ts';
import { createPixelValues, type PixelValues } from './pixel-values.ts';
import type { PreprocessorConfig } from './preprocessor-config.ts';
import { decodePng } from './png/decode.ts';
import { planGeometry, whole, type Geometry, type Size } from './resize/geometry.ts';
import { resizeHeld, type Pixels } from './resize/resize-held.ts';
import { createResizer } from './resize/resizer.ts';
import { centred, coveringSize, isAcross, thumbnailSize } from './thumbnail/geometry.ts';
import { rescaleToEdge } from './tiles/geometry.ts';
import { toTiles } from './tiles/preprocess.ts';

/** Other work gets its turn after about this many pixels (some 40 ms). */
const PIXELS_PER_TURN = 500_000;
const BLACK = [0, 0, 0];

/**
 * Bytes in, `pixel_values` out: decoded, turned upright, resized as Pillow does and normalised. The
 * picture is decoded and resized band by band and never held whole, except where its encoding needs it; where it
 * is resized twice (tiles, thumbnails), what is between is held.
 * @throws GlimpseError unsupported_image, invalid_image, image_too_large
 */
export async function preprocessImage(
  bytes: Uint8Array,
  config: PreprocessorConfig,
  limits: ImageLimits,
): Promise<PixelValues> {
  const header = readHeader(bytes);
  checkLimits(header, limits);
  const pause = createPause();
  const picture = header.format === 'jpeg' ? decodeJpeg(bytes, pause) : decodePng(bytes, pause);
  const upright = turnOf(picture.orientation);
  const viewed = turnedSize(header, upright);
  const turn = config.kind === 'thumbnail' && isAcross(viewed, config) ? turnClockwise(upright) : upright;
  const size = turnedSize(header, turn);
  const resize = async ({ x, y }: Pick<Geometry, 'x' | 'y'>): Promise<Pixels> => {
    const resizer = createResizer(header, turn, { x, y }, config.filter);
    for await (const band of picture.bands) resizer.push(band);
    return { rgb: resizer.finish(), width: x.length, height: y.length };
  };
  const resizeWhole = ({ width, height }: Size) => resize({ x: whole(width), y: whole(height) });
  const inPlace = ({ rgb }: Pixels, geometry: Geometry, background: readonly number[]): PixelValues => {
    const image = { rgb: place(rgb, geometry, background), first: 0, stride: geometry.canvas.width * 3 };
    return createPixelValues([image], geometry.canvas, [0, 0], config);
  };
  switch (config.kind) {
    case 'tiles':
      return toTiles(await resizeWhole(rescaleToEdge(size, config.longest_edge)), config, pause);
    case 'thumbnail': {
      const { canvas, filter } = config;
      const covering = await resizeWhole(coveringSize(size, config));
      const thumbnail = await resizeHeld(covering, thumbnailSize(covering, canvas), filter, pause);
      return inPlace(thumbnail, centred(thumbnail, canvas), BLACK);
    }
    case 'fixed': {
      const geometry = planGeometry(size.width, size.height, config);
      return inPlace(await resize(geometry), geometry, config.background_color);
    }
  }
}

const turnedSize = ({ width, height }: Size, { transpose }: Turn): Size =>
  transpose ? { width: height, height: width } : { width, height };

function createPause(): Pause {
  let sinceTurn = 0;
  return async (pixels) => {
    sinceTurn += pixels;
    if (sinceTurn < PIXELS_PER_TURN) return;
    sinceTurn = 0;
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
}

/** The resized picture in its place on the canvas. */
function place(
  rgb: Uint8Array, // [y.length, x.length, 3]
  { canvas, x, y, left, top }: Geometry,
  background: readonly number[],
): Uint8Array {
  if (x.length === canvas.width && y.length === canvas.height) return rgb;
  const pixels = new Uint8Array(canvas.height * canvas.width * 3);
  const empty = Uint8Array.from({ length: canvas.width * 3 }, (_, i) => background[i % 3] ?? 0);
  for (let at = 0; at < pixels.length; at += empty.length) pixels.set(empty, at);
  for (let row = 0; row < y.length; row++) {
    const line = rgb.subarray(row * x.length * 3, (row + 1) * x.length * 3);
    pixels.set(line, ((top + row) * canvas.width + left) * 3);
  }
  return pixels;
}
