import type { Pause } from '../picture.ts';
import { createPixelValues, type PixelValues, type RgbImage } from '../pixel-values.ts';
import type { Filter } from '../resize/coefficients.ts';
import { whole } from '../resize/geometry.ts';
import { createResizer } from '../resize/resizer.ts';
import type { TilesConfig } from './config.ts';
import { roundUpToTiles, type Size } from './geometry.ts';

/** A picture in memory. */
interface Pixels extends Size {
  readonly rgb: Uint8Array; // [height, width, 3]
}

const ROWS_PER_BAND = 64;

/** @param picture its longest edge already resized. It is not held on to: it may be 12 MB. */
export async function toTiles(picture: Pixels, config: TilesConfig, pause: Pause): Promise<PixelValues> {
  const { tile, filter } = config;
  const one = { width: tile, height: tile };
  const alone = ({ rgb }: Pixels): RgbImage => ({ rgb, first: 0, stride: tile * 3 });
  if (!config.split) {
    return createPixelValues([alone(await resize(picture, one, filter, pause))], one, [0, 0], config);
  }
  const large = await resize(picture, roundUpToTiles(picture, tile), filter, pause);
  const rows = large.height / tile;
  const columns = large.width / tile;
  if (rows * columns === 1) return createPixelValues([alone(large)], one, [0, 0], config);

  const tiles = Array.from({ length: rows * columns }, (_, index): RgbImage => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    return {
      rgb: large.rgb,
      first: (row * large.width + column) * tile * 3,
      stride: large.width * 3,
    };
  });
  const small = await resize(large, one, filter, pause);
  return createPixelValues([...tiles, alone(small)], one, [rows, columns], config);
}

async function resize(picture: Pixels, size: Size, filter: Filter, pause: Pause): Promise<Pixels> {
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
