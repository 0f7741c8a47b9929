// Convolutions of a CNN encoder, channels last, float32. 1x1 convolutions are matrix products.

// @ts-ignore: decorator
@inline
function relu6(v: v128): v128 {
  return f32x4.min(f32x4.max(v, f32x4.splat(0)), f32x4.splat(6));
}

/**
 * Rows `from` to `to` of a depthwise convolution with bias and ReLU6.
 * @param x [h, w, c]  @param weight [kernel, kernel, c]  @param bias [c]
 * @param y [ho, wo, c]; c % 16 == 0; pad: rows and columns of zeros before the first
 */
export function depthwise_relu6(
  x: usize, weight: usize, bias: usize, y: usize,
  h: i32, w: i32, c: i32, wo: i32, kernel: i32, stride: i32, pad: i32, from: i32, to: i32,
): void {
  const pixel = <usize>c * 4;
  for (let oy = from; oy < to; oy++) {
    const iy = oy * stride - pad;
    const ky0 = max(0, -iy), ky1 = min(kernel, h - iy);
    for (let ox = 0; ox < wo; ox++) {
      const ix = ox * stride - pad;
      const kx0 = max(0, -ix), kx1 = min(kernel, w - ix);
      const out = y + <usize>(oy * wo + ox) * pixel;
      for (let i: usize = 0; i < pixel; i += 64) {
        let s0 = v128.load(bias + i, 0), s1 = v128.load(bias + i, 16);
        let s2 = v128.load(bias + i, 32), s3 = v128.load(bias + i, 48);
        for (let ky = ky0; ky < ky1; ky++) {
          let px = x + <usize>((iy + ky) * w + ix + kx0) * pixel + i;
          let pw = weight + <usize>(ky * kernel + kx0) * pixel + i;
          for (let kx = kx0; kx < kx1; kx++) {
            s0 = f32x4.add(s0, f32x4.mul(v128.load(px, 0), v128.load(pw, 0)));
            s1 = f32x4.add(s1, f32x4.mul(v128.load(px, 16), v128.load(pw, 16)));
            s2 = f32x4.add(s2, f32x4.mul(v128.load(px, 32), v128.load(pw, 32)));
            s3 = f32x4.add(s3, f32x4.mul(v128.load(px, 48), v128.load(pw, 48)));
            px += pixel;
            pw += pixel;
          }
        }
        v128.store(out + i, relu6(s0), 0);
        v128.store(out + i, relu6(s1), 16);
        v128.store(out + i, relu6(s2), 32);
        v128.store(out + i, relu6(s3), 48);
      }
    }
  }
}

/**
 * The first convolution, from pixel_values as image processors give them, with bias and ReLU6.
 * @param x [channels, h, w]  @param weight [channels, kernel, kernel, c]  @param bias [c]
 * @param y [ho, wo, c]; c % 16 == 0
 */
export function stem_relu6(
  x: usize, weight: usize, bias: usize, y: usize,
  channels: i32, h: i32, w: i32, c: i32, ho: i32, wo: i32, kernel: i32, stride: i32, pad: i32,
): void {
  const pixel = <usize>c * 4;
  for (let oy = 0; oy < ho; oy++) {
    const iy = oy * stride - pad;
    const ky0 = max(0, -iy), ky1 = min(kernel, h - iy);
    for (let ox = 0; ox < wo; ox++) {
      const ix = ox * stride - pad;
      const kx0 = max(0, -ix), kx1 = min(kernel, w - ix);
      for (let i: usize = 0; i < pixel; i += 64) {
        let s0 = v128.load(bias + i, 0), s1 = v128.load(bias + i, 16);
        let s2 = v128.load(bias + i, 32), s3 = v128.load(bias + i, 48);
        for (let ch = 0; ch < channels; ch++) {
          for (let ky = ky0; ky < ky1; ky++) {
            const px = x + (<usize>((ch * h + iy + ky) * w + ix) << 2);
            const pw = weight + <usize>((ch * kernel + ky) * kernel) * pixel + i;
            for (let kx = kx0; kx < kx1; kx++) {
              const v = v128.load32_splat(px + (<usize>kx << 2));
              const p = pw + <usize>kx * pixel;
              s0 = f32x4.add(s0, f32x4.mul(v, v128.load(p, 0)));
              s1 = f32x4.add(s1, f32x4.mul(v, v128.load(p, 16)));
              s2 = f32x4.add(s2, f32x4.mul(v, v128.load(p, 32)));
              s3 = f32x4.add(s3, f32x4.mul(v, v128.load(p, 48)));
            }
          }
        }
        v128.store(y + i, relu6(s0), 0);
        v128.store(y + i, relu6(s1), 16);
        v128.store(y + i, relu6(s2), 32);
        v128.store(y + i, relu6(s3), 48);
      }
      y += pixel;
    }
  }
}

/** y = the mean over all pixels. x: [pixels, c], y: [c]; c % 4 == 0. */
export function mean_pixels(x: usize, y: usize, pixels: i32, c: i32): void {
  const pixel = <usize>c * 4;
  const n = f32x4.splat(<f32>pixels);
  for (let i: usize = 0; i < pixel; i += 16) {
    let s = f32x4.splat(0);
    for (let p = 0; p < pixels; p++) s = f32x4.add(s, v128.load(x + <usize>p * pixel + i));
    v128.store(y + i, f32x4.div(s, n));
  }
}
