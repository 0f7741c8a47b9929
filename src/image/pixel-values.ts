/** Images of one size, as the model takes them. */
export interface PixelValues {
  readonly shape: readonly [batch: number, channels: number, height: number, width: number];
  /**
   * How a picture was split: into rows times columns tiles, row by row in the batch, with the whole
   * picture behind them. [0, 0]: it was not, and is the batch.
   */
  readonly grid: readonly [rows: number, columns: number];
  /** One image of the batch in floats, made when it is asked for, the caller's own. // [channels, height, width] */
  read(index: number): Float32Array;
}

/** What comes of a byte: (byte * scale - mean) / std, each channel by its own. */
export interface Normalization {
  readonly scale: number;
  readonly mean: readonly number[]; // [3]
  readonly std: readonly number[]; // [3]
}

/**
 * An image of a batch: a part of a picture in bytes, a quarter of its floats, in which seventeen tiles would
 * not fit an isolate.
 */
export interface RgbImage {
  readonly rgb: Uint8Array;
  /** Where its first row begins. */
  readonly first: number;
  /** From one row's beginning to the next. */
  readonly stride: number;
}

export function createPixelValues(
  images: readonly RgbImage[],
  { height, width }: { readonly height: number; readonly width: number },
  grid: PixelValues['grid'],
  { scale, mean, std }: Normalization,
): PixelValues {
  const area = height * width;
  const channels = [0, 1, 2].map((c) =>
    Float32Array.from({ length: 256 }, (_, byte) => (byte * scale - (mean[c] ?? 0)) / (std[c] ?? 1)),
  );
  return {
    shape: [images.length, 3, height, width],
    grid,
    read(index) {
      const image = images[index];
      if (image === undefined) throw new RangeError(`there are ${images.length} images, none at ${index}`);
      const { rgb, first, stride } = image;
      const data = new Float32Array(3 * area);
      channels.forEach((normalized, c) => {
        for (let y = 0, to = c * area; y < height; y++) {
          for (let from = first + y * stride + c; to < c * area + (y + 1) * width; from += 3, to++) {
            data[to] = normalized[rgb[from] ?? 0] ?? 0;
          }
        }
      });
      return data;
    },
  };
}
