// A vision transformer between its matrix products and its attention, float32.

import { hsum } from "./vector";

/** Layer normalisation (Ba et al., 2016). x, y: [rows, n]; weight, bias: [n]; n % 4 == 0; y may be x. */
export function layer_norm(x: usize, weight: usize, bias: usize, y: usize, rows: i32, n: i32, eps: f32): void {
  const ld = <usize>n << 2;
  for (let r = 0; r < rows; r++) {
    let s = f32x4.splat(0);
    for (let i: usize = 0; i < ld; i += 16) s = f32x4.add(s, v128.load(x + i));
    const mean = f32x4.splat(hsum(s) / <f32>n);
    // Around the mean, in a pass of its own: the difference of two large sums would lose what is small.
    s = f32x4.splat(0);
    for (let i: usize = 0; i < ld; i += 16) {
      const v = f32x4.sub(v128.load(x + i), mean);
      s = f32x4.add(s, f32x4.mul(v, v));
    }
    const inv = f32x4.splat(<f32>1.0 / sqrt<f32>(hsum(s) / <f32>n + eps));
    for (let i: usize = 0; i < ld; i += 16) {
      const v = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x + i), mean), inv), v128.load(weight + i));
      v128.store(y + i, f32x4.add(v, v128.load(bias + i)));
    }
    x += ld;
    y += ld;
  }
}

/**
 * Patches `from` to `from + rows`, row by row over the image, each as the row of a product that a Conv2d of
 * stride `patch` is. What does not fill a patch at the right and at the bottom is left out.
 * @param x pixel_values [channels, size, size]
 * @param y [rows, channels, patch, patch]
 */
export function patches(x: usize, y: usize, channels: i32, size: i32, patch: i32, from: i32, rows: i32): void {
  const side = size / patch;
  const line = <usize>patch << 2;
  for (let p = from; p < from + rows; p++) {
    const corner = (p / side) * patch * size + (p % side) * patch;
    for (let c = 0; c < channels; c++) {
      for (let ky = 0; ky < patch; ky++) {
        memory.copy(y, x + (<usize>((c * size + ky) * size + corner) << 2), line);
        y += line;
      }
    }
  }
}
