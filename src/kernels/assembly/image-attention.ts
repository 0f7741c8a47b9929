// Attention of all rows of an image to all of them, as two products a head with a softmax between.
// Queries go in eights, one a lane: scores, softmax and the weighing of values then know no row from another,
// and nothing is summed across lanes. Keys and values stand in panels of four, so that either product reads
// two streams from front to back.

import { exp4 } from "./vector";

/** The first of the values' panels behind those of the keys: [heads, ceil(tokens / 4), dim, 4]. */
// @ts-ignore: decorator
@inline
function valuesOf(panels: usize, tokens: i32, heads: i32, dim: i32): usize {
  return panels + (<usize>(heads * ((tokens + 3) & ~3) * dim) << 2);
}

/**
 * Keys and values of rows `from` to `from + rows` into panels.
 * @param kv     [rows, keys and values, heads, dim]; dim % 4 == 0
 * @param panels keys [heads, ceil(tokens / 4), dim, 4], then values [heads, dim / 4, tokens, 4]
 */
export function pack_keys_values(
  kv: usize, panels: usize, from: i32, rows: i32, tokens: i32, heads: i32, dim: i32,
): void {
  const width = <usize>(heads * dim) << 2;
  const padded = (tokens + 3) & ~3;
  const values = valuesOf(panels, tokens, heads, dim);
  for (let t = from; t < from + rows; t++) {
    for (let h = 0; h < heads; h++) {
      const key = panels + (<usize>((h * padded + (t & ~3)) * dim + (t & 3)) << 2);
      const value = values + (<usize>(h * dim * tokens + 4 * t) << 2);
      for (let d = 0; d < dim; d++) store<f32>(key + (<usize>d << 4), load<f32>(kv + (<usize>(h * dim + d) << 2)));
      for (let d = 0; d < dim; d += 4) {
        v128.store(value + (<usize>(d * tokens) << 2), v128.load(kv + width + (<usize>(h * dim + d) << 2)));
      }
    }
    kv += 2 * width;
  }
}

/** y[4 p + i] = sum over k of a[p, k, i] b[k], eights of floats. a: [panels, k, 4], b: [k, 8], y: [4 panels, 8] */
function product(a: usize, panels: i32, b: usize, k: i32, y: usize): void {
  const end = b + (<usize>k << 5);
  for (let p = 0; p < panels; p++) {
    let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    let at = b;
    do {
      const b0 = v128.load(at, 0), b1 = v128.load(at, 16);
      const a0 = v128.load32_splat(a, 0);
      s00 = f32x4.add(s00, f32x4.mul(a0, b0));
      s01 = f32x4.add(s01, f32x4.mul(a0, b1));
      const a1 = v128.load32_splat(a, 4);
      s10 = f32x4.add(s10, f32x4.mul(a1, b0));
      s11 = f32x4.add(s11, f32x4.mul(a1, b1));
      const a2 = v128.load32_splat(a, 8);
      s20 = f32x4.add(s20, f32x4.mul(a2, b0));
      s21 = f32x4.add(s21, f32x4.mul(a2, b1));
      const a3 = v128.load32_splat(a, 12);
      s30 = f32x4.add(s30, f32x4.mul(a3, b0));
      s31 = f32x4.add(s31, f32x4.mul(a3, b1));
      a += 16;
      at += 32;
    } while (at < end);
    v128.store(y, s00, 0); v128.store(y, s01, 16);
    v128.store(y, s10, 32); v128.store(y, s11, 48);
    v128.store(y, s20, 64); v128.store(y, s21, 80);
    v128.store(y, s30, 96); v128.store(y, s31, 112);
    y += 128;
  }
}

/** e^(s - max) of each lane over its column, in place, and the reciprocals of their sums to `inverse`. s: [n, 8] */
function exponents(s: usize, n: i32, inverse: usize): void {
  const end = s + (<usize>n << 5);
  let m0 = v128.load(s, 0), m1 = v128.load(s, 16);
  for (let p = s + 32; p < end; p += 32) {
    m0 = f32x4.pmax(m0, v128.load(p, 0));
    m1 = f32x4.pmax(m1, v128.load(p, 16));
  }
  let t0 = f32x4.splat(0), t1 = t0;
  for (let p = s; p < end; p += 32) {
    const e0 = exp4(f32x4.sub(v128.load(p, 0), m0)), e1 = exp4(f32x4.sub(v128.load(p, 16), m1));
    v128.store(p, e0, 0);
    v128.store(p, e1, 16);
    t0 = f32x4.add(t0, e0);
    t1 = f32x4.add(t1, e1);
  }
  v128.store(inverse, f32x4.div(f32x4.splat(1), t0), 0);
  v128.store(inverse, f32x4.div(f32x4.splat(1), t1), 16);
}

/** Up to eight rows of one head, scaled, one a lane; lanes without a row keep what they had. out: [dim, 8] */
function turnIn(q: usize, ld: usize, lanes: i32, dim: i32, scale: f32, out: usize): void {
  for (let r = 0; r < lanes; r++) {
    for (let d = 0; d < dim; d++) store<f32>(out + (<usize>(8 * d + r) << 2), load<f32>(q + (<usize>d << 2)) * scale);
    q += ld;
  }
}

/** The lanes as rows again, each times its factor. o: [dim, 8] */
function turnOut(o: usize, factors: usize, lanes: i32, dim: i32, y: usize, ld: usize): void {
  for (let r = 0; r < lanes; r++) {
    const factor = load<f32>(factors + (<usize>r << 2));
    for (let d = 0; d < dim; d++) store<f32>(y + (<usize>d << 2), load<f32>(o + (<usize>(8 * d + r) << 2)) * factor);
    y += ld;
  }
}

/**
 * Bidirectional attention of `rows` queries over all of an image's keys and values (Vaswani et al., 2017).
 * @param q       [rows, heads, dim]; dim % 4 == 0
 * @param panels  as `pack_keys_values` leaves them, all tokens packed
 * @param y       [rows, heads, dim]; may be q
 * @param scratch 8 * (2 * dim + ceil4(tokens) + 1) floats
 */
export function attend_image(
  q: usize, panels: usize, y: usize, rows: i32, tokens: i32, heads: i32, dim: i32, scratch: usize,
): void {
  const bytes = <usize>dim << 2;
  const ld = <usize>heads * bytes;
  const padded = (tokens + 3) & ~3;
  const scale = <f32>1.0 / sqrt<f32>(<f32>dim);
  const queries = scratch, outputs = queries + 8 * bytes, inverse = outputs + 8 * bytes, scores = inverse + 32;
  let keys = panels, values = valuesOf(panels, tokens, heads, dim);
  memory.fill(queries, 0, 8 * bytes);
  for (let h = 0; h < heads; h++) {
    for (let r = 0; r < rows; r += 8) {
      const lanes = min(8, rows - r);
      const at = <usize>r * ld + <usize>h * bytes;
      turnIn(q + at, ld, lanes, dim, scale, queries);
      product(keys, padded >> 2, queries, dim, scores);
      exponents(scores, tokens, inverse);
      product(values, dim >> 2, scores, tokens, outputs);
      turnOut(outputs, inverse, lanes, dim, y + at, ld);
    }
    keys += (<usize>(padded * dim)) << 2;
    values += (<usize>(tokens * dim)) << 2;
  }
}
