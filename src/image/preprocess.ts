import { readHeader } from './header.ts';
import { decodeJpeg } from './jpeg/decode.ts';
import { checkLimits, type ImageLimits } from './limits.ts';
import { turnOf } from './orientation.ts';
import type { Pause } from './picture.ts';
import { createPixelValues, type PixelValues } from './pixel-values.ts';
import type { PreprocessorConfig } from './preprocessor-config.ts';
import { decodePng } from './png/decode.ts';
import { planGeometry, whole, type Geometry } from './resize/geometry.ts';
import { createResizer } from './resize/resizer.ts';
import { rescaleToEdge } from './tiles/geometry.ts';
import { toTiles } from './tiles/preprocess.ts';

/** Other work gets its turn after about this many pixels (some 40 ms). */
const PIXELS_PER_TURN = 500_000;

/**
 * Bytes in, `pixel_values` out: decoded, turned upright, resized as Pillow does and normalised. The
 * picture is decoded and resized band by band and never held whole, except where its encoding needs it.
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
  const turn = turnOf(picture.orientation);
  const [width, height] = turn.transpose ? [header.height, header.width] : [header.width, header.height];
  const resize = async (geometry: Pick<Geometry, 'x' | 'y'>): Promise<Uint8Array> => {
    const resizer = createResizer(header, turn, geometry, config.filter);
    for await (const band of picture.bands) resizer.push(band);
    return resizer.finish();
  };
  if (config.kind === 'tiles') {
    const size = rescaleToEdge({ width, height }, config.longest_edge);
    const rgb = await resize({ x: whole(size.width), y: whole(size.height) });
    return toTiles({ rgb, ...size }, config, pause);
  }
  const geometry = planGeometry(width, height, config);
  const rgb = place(await resize(geometry), geometry, config.background_color);
  const image = { rgb, first: 0, stride: geometry.canvas.width * 3 };
  return createPixelValues([image], geometry.canvas, [0, 0], config);
}

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
  const pixels = Uint8Array.from(
    { length: canvas.height * canvas.width * 3 },
    (_, i) => background[i % 3] ?? 0,
  );
  for (let row = 0; row < y.length; row++) {
    const line = rgb.subarray(row * x.length * 3, (row + 1) * x.length * 3);
    pixels.set(line, ((top + row) * canvas.width + left) * 3);
  }
  return pixels;
}
