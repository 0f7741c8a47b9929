import type { Pause } from '../picture.ts';
import { createPixelValues, type PixelValues, type RgbImage } from '../pixel-values.ts';
import { resizeHeld, type Pixels } from '../resize/resize-held.ts';
import type { TilesConfig } from './config.ts';
import { roundUpToTiles } from './geometry.ts';

/** @param picture its longest edge already resized. It is not held on to: it may be 12 MB. */
export async function toTiles(picture: Pixels, config: TilesConfig, pause: Pause): Promise<PixelValues> {
  const { tile, filter } = config;
  const one = { width: tile, height: tile };
  const alone = ({ rgb }: Pixels): RgbImage => ({ rgb, first: 0, stride: tile * 3 });
  if (!config.split) {
    return createPixelValues([alone(await resizeHeld(picture, one, filter, pause))], one, [0, 0], config);
  }
  const large = await resizeHeld(picture, roundUpToTiles(picture, tile), filter, pause);
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
  const small = await resizeHeld(large, one, filter, pause);
  return createPixelValues([...tiles, alone(small)], one, [rows, columns], config);
}
