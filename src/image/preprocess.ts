import { readHeader } from './header.ts';
import { decodeJpeg } from './jpeg/decode.ts';
import { checkLimits, type ImageLimits } from './limits.ts';
import { turnOf } from './orientation.ts';
import type { Pause } from './picture.ts';
import type { PreprocessorConfig } from './preprocessor-config.ts';
import { decodePng } from './png/decode.ts';
import { planGeometry, type Geometry } from './resize/geometry.ts';
import { createResizer } from './resize/resizer.ts';

/** A batch of one image, as the model takes it. */
export interface PixelValues {
  readonly data: Float32Array; // [1, 3, height, width]
  readonly shape: readonly [batch: number, channels: number, height: number, width: number];
}

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
  const geometry = planGeometry(width, height, config);
  const resizer = createResizer(header, turn, geometry, config.filter);
  for await (const band of picture.bands) resizer.push(band);
  return toPixelValues(resizer.finish(), geometry, config);
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

function toPixelValues(
  rgb: Uint8Array, // [y.length, x.length, 3]
  { canvas, x: columns, y: rows, left, top }: Geometry,
  { background_color, scale, mean, std }: PreprocessorConfig,
): PixelValues {
  const area = canvas.height * canvas.width;
  const data = new Float32Array(3 * area);
  for (let c = 0; c < 3; c++) {
    const normalized = Float32Array.from(
      { length: 256 },
      (_, byte) => (byte * scale - (mean[c] ?? 0)) / (std[c] ?? 1),
    );
    data.fill(normalized[background_color[c] ?? 0] ?? 0, c * area, (c + 1) * area);
    for (let y = 0; y < rows.length; y++) {
      for (let x = 0; x < columns.length; x++) {
        const byte = rgb[(y * columns.length + x) * 3 + c] ?? 0;
        data[c * area + (top + y) * canvas.width + left + x] = normalized[byte] ?? 0;
      }
    }
  }
  return { data, shape: [1, 3, canvas.height, canvas.width] };
}
