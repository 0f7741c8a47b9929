// The parts of a transformer between its matrix products, float32.

import { exp4, hmax, hsum, sigmoid4 } from "./vector";

/** Root mean square normalisation (Zhang and Sennrich, 2019). x, y: [rows, n]; weight: [n]; n % 4 == 0. */
export function rms_norm(x: usize, weight: usize, y: usize, rows: i32, n: i32, eps: f32): void {
  const ld = <usize>n * 4;
  for (let r = 0; r < rows; r++) {
    let s = f32x4.splat(0);
    for (let i: usize = 0; i < ld; i += 16) {
      const v = v128.load(x + i);
      s = f32x4.add(s, f32x4.mul(v, v));
    }
    const inv = f32x4.splat(<f32>1.0 / sqrt<f32>(hsum(s) / <f32>n + eps));
    for (let i: usize = 0; i < ld; i += 16) {
      v128.store(y + i, f32x4.mul(f32x4.mul(v128.load(x + i), inv), v128.load(weight + i)));
    }
    x += ld;
    y += ld;
  }
}

/** y = silu(gate) * up (SwiGLU: Shazeer, 2020). x: [rows, gate n | up n], y: [rows, n]; n % 4 == 0. */
export function silu_mul(x: usize, y: usize, rows: i32, n: i32): void {
  const ld = <usize>n * 4;
  for (let r = 0; r < rows; r++) {
    for (let i: usize = 0; i < ld; i += 16) {
      const g = v128.load(x + i);
      v128.store(y + i, f32x4.mul(f32x4.mul(g, sigmoid4(g)), v128.load(x + ld + i)));
    }
    x += 2 * ld;
    y += ld;
  }
}

/**
 * Rotary position embedding of one row in place, halves rotated as Llama in transformers does (Su et al., 2021).
 * @param x [heads, dim]  @param cos [dim / 2] of this position  @param sin [dim / 2]; dim % 8 == 0
 */
export function rope(x: usize, cos: usize, sin: usize, heads: i32, dim: i32): void {
  const half = <usize>dim * 2;
  for (let h = 0; h < heads; h++) {
    for (let i: usize = 0; i < half; i += 16) {
      const c = v128.load(cos + i), s = v128.load(sin + i);
      const a = v128.load(x + i), b = v128.load(x + i + half);
      v128.store(x + i, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)));
      v128.store(x + i + half, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, s)));
    }
    x += 2 * half;
  }
}

// @ts-ignore: decorator
@inline
function scores(q: usize, k: usize, len: i32, ld: usize, bytes: usize, scale: f32, out: usize): void {
  for (let p = 0; p < len; p++) {
    let s = f32x4.splat(0);
    for (let i: usize = 0; i < bytes; i += 16) s = f32x4.add(s, f32x4.mul(v128.load(q + i), v128.load(k + i)));
    store<f32>(out, hsum(s) * scale);
    out += 4;
    k += ld;
  }
}

// @ts-ignore: decorator
@inline
function weigh(p: usize, v: usize, len: i32, ld: usize, bytes: usize, y: usize): void {
  for (let j = 0; j < len; j++) {
    const w = v128.load32_splat(p);
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(y + i, f32x4.add(v128.load(y + i), f32x4.mul(w, v128.load(v + i))));
    }
    p += 4;
    v += ld;
  }
}

/** Softmax of n scores in place; the places up to the next multiple of 4 are overwritten. */
function softmax(x: usize, n: i32): void {
  const end = x + <usize>n * 4;
  for (let p = end; p & 15; p += 4) store<f32>(p, -Infinity);
  let m = f32x4.splat(-Infinity);
  for (let p = x; p < end; p += 16) m = f32x4.max(m, v128.load(p));
  const top = f32x4.splat(hmax(m));
  let s = f32x4.splat(0);
  for (let p = x; p < end; p += 16) {
    const e = exp4(f32x4.sub(v128.load(p), top));
    v128.store(p, e);
    s = f32x4.add(s, e);
  }
  const inv = f32x4.splat(<f32>1.0 / hsum(s));
  for (let p = x; p < end; p += 16) v128.store(p, f32x4.mul(v128.load(p), inv));
}

/**
 * Attention of one position over the keys and values of a shared prefix and of its own sequence.
 * Heads share keys and values in groups (grouped-query attention: Ainslie et al., 2023).
 * @param q       [heads, dim]
 * @param k0, v0  prefix [len0, kvHeads, dim]; @param k1, v1 own sequence [len1, kvHeads, dim], this position last
 * @param y       [heads, dim]; dim % 4 == 0
 * @param scratch ceil4(len0 + len1) floats, 16-byte aligned
 */
export function attention(
  q: usize, k0: usize, v0: usize, len0: i32, k1: usize, v1: usize, len1: i32,
  y: usize, heads: i32, kvHeads: i32, dim: i32, scratch: usize,
): void {
  const bytes = <usize>dim * 4;
  const ld = <usize>kvHeads * bytes;
  const group = heads / kvHeads;
  const scale = <f32>1.0 / sqrt<f32>(<f32>dim);
  const tail = scratch + (<usize>len0 << 2);
  for (let h = 0; h < heads; h++) {
    const at = <usize>(h / group) * bytes;
    scores(q, k0 + at, len0, ld, bytes, scale, scratch);
    scores(q, k1 + at, len1, ld, bytes, scale, tail);
    softmax(scratch, len0 + len1);
    memory.fill(y, 0, bytes);
    weigh(scratch, v0 + at, len0, ld, bytes, y);
    weigh(tail, v1 + at, len1, ld, bytes, y);
    q += bytes;
    y += bytes;
  }
}
