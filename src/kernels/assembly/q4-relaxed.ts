// x W^T with 4-bit weights and relaxed SIMD dot products.
//
// relaxed_dot multiplies int8 pairs and adds them to int16. It may differ between machines only where
// the second operand's top bit is set or the sum saturates; weights of 0..15 do neither
// (2 * 15 * 127 = 3810), so the result is the same everywhere. A block of 32 adds up to at most 30480
// in an int16 lane, hence exactly one block for each flush to float32.

import { halves, NIBBLE_MASK_I8, ONES_I16 } from "./vector";
import { A8, quantize_a8_q4 } from "./quantize";
import { Q4_BLOCK } from "./pack";
import { matmul } from "./matmul";

const PANEL_BLOCK: usize = 288; // 8 float32 scales, 8 groups of 4 inputs, two vectors each

// @ts-ignore: decorator
@inline
function dot(c: v128, a: v128, w: v128): v128 {
  return i16x8.add(c, v128.relaxed_dot<i16>(a, w));
}

// @ts-ignore: decorator
@inline
function flush(f: v128, c: v128, ones: v128, scale: v128): v128 {
  return f32x4.add(f, f32x4.mul(f32x4.convert_i32x4_s(i32x4.dot_i16x8_s(c, ones)), scale));
}

/** One row of activations with all the weights: what decoding a token costs. */
function gemv(w: usize, a0: usize, y: usize, nb: i32, tiles: i32, panel: usize): void {
  const mask = v128.load(NIBBLE_MASK_I8);
  const ones = v128.load(ONES_I16);
  for (let t = 0; t < tiles; t++) {
    let a = a0;
    let f0 = f32x4.splat(0), f1 = f0;
    for (let b = 0; b < nb; b++) {
      let c0 = v128.load32_splat(a, 36), c1 = c0;
      let al: v128, ah: v128, v: v128;
      al = v128.load32_splat(a, 0); ah = v128.load32_splat(a, 16);
      v = v128.load(w, 16); c0 = dot(c0, al, v128.and(v, mask)); c0 = dot(c0, ah, v128.and(i16x8.shr_u(v, 4), mask));
      v = v128.load(w, 32); c1 = dot(c1, al, v128.and(v, mask)); c1 = dot(c1, ah, v128.and(i16x8.shr_u(v, 4), mask));
      al = v128.load32_splat(a, 4); ah = v128.load32_splat(a, 20);
      v = v128.load(w, 48); c0 = dot(c0, al, v128.and(v, mask)); c0 = dot(c0, ah, v128.and(i16x8.shr_u(v, 4), mask));
      v = v128.load(w, 64); c1 = dot(c1, al, v128.and(v, mask)); c1 = dot(c1, ah, v128.and(i16x8.shr_u(v, 4), mask));
      al = v128.load32_splat(a, 8); ah = v128.load32_splat(a, 24);
      v = v128.load(w, 80); c0 = dot(c0, al, v128.and(v, mask)); c0 = dot(c0, ah, v128.and(i16x8.shr_u(v, 4), mask));
      v = v128.load(w, 96); c1 = dot(c1, al, v128.and(v, mask)); c1 = dot(c1, ah, v128.and(i16x8.shr_u(v, 4), mask));
      al = v128.load32_splat(a, 12); ah = v128.load32_splat(a, 28);
      v = v128.load(w, 112); c0 = dot(c0, al, v128.and(v, mask)); c0 = dot(c0, ah, v128.and(i16x8.shr_u(v, 4), mask));
      v = v128.load(w, 128); c1 = dot(c1, al, v128.and(v, mask)); c1 = dot(c1, ah, v128.and(i16x8.shr_u(v, 4), mask));
      const d = v128.load32_splat(a, 32);
      f0 = flush(f0, c0, ones, f32x4.mul(d, halves(w, 0)));
      f1 = flush(f1, c1, ones, f32x4.mul(d, halves(w, 8)));
      w += Q4_BLOCK;
      a += A8;
    }
    v128.store(y, f0, 0);
    v128.store(y, f1, 16);
    y += 32;
  }
}

function unpack(w: usize, panel: usize, nb: i32): void {
  const mask = v128.load(NIBBLE_MASK_I8);
  for (let b = 0; b < nb; b++) {
    v128.store(panel, halves(w, 0), 0);
    v128.store(panel, halves(w, 8), 16);
    for (let i: usize = 0; i < 128; i += 16) {
      const v = v128.load(w + i, 16);
      v128.store(panel + i, v128.and(v, mask), 32);
      v128.store(panel + i, v128.and(i16x8.shr_u(v, 4), mask), 160);
    }
    w += Q4_BLOCK;
    panel += PANEL_BLOCK;
  }
}

/** Four rows of activations at a time with a panel of 8 output rows. Rolled, as `quads16` is and for its reason. */
function quads(panel: usize, a: usize, y: usize, ldy: usize, quads: i32, k: i32): void {
  const nb = (k + 31) >> 5;
  const ones = v128.load(ONES_I16);
  for (let q = 0; q < quads; q++) {
    let pw = panel;
    let f00 = f32x4.splat(0), f01 = f00, f10 = f00, f11 = f00, f20 = f00, f21 = f00, f30 = f00, f31 = f00;
    for (let b = 0; b < nb; b++) {
      let c00 = v128.load32_splat(a, 36), c01 = c00;
      let c10 = v128.load32_splat(a, 76), c11 = c10;
      let c20 = v128.load32_splat(a, 116), c21 = c20;
      let c30 = v128.load32_splat(a, 156), c31 = c30;
      const end = a + 32;
      let pv = pw;
      do {
        const w0 = v128.load(pv, 32), w1 = v128.load(pv, 48);
        const a0 = v128.load32_splat(a, 0);
        c00 = dot(c00, a0, w0); c01 = dot(c01, a0, w1);
        const a1 = v128.load32_splat(a, 40);
        c10 = dot(c10, a1, w0); c11 = dot(c11, a1, w1);
        const a2 = v128.load32_splat(a, 80);
        c20 = dot(c20, a2, w0); c21 = dot(c21, a2, w1);
        const a3 = v128.load32_splat(a, 120);
        c30 = dot(c30, a3, w0); c31 = dot(c31, a3, w1);
        pv += 32;
        a += 4;
      } while (a < end);
      const s0 = v128.load(pw, 0), s1 = v128.load(pw, 16);
      const d0 = v128.load32_splat(a, 0), d1 = v128.load32_splat(a, 40);
      f00 = flush(f00, c00, ones, f32x4.mul(d0, s0)); f01 = flush(f01, c01, ones, f32x4.mul(d0, s1));
      f10 = flush(f10, c10, ones, f32x4.mul(d1, s0)); f11 = flush(f11, c11, ones, f32x4.mul(d1, s1));
      const d2 = v128.load32_splat(a, 80), d3 = v128.load32_splat(a, 120);
      f20 = flush(f20, c20, ones, f32x4.mul(d2, s0)); f21 = flush(f21, c21, ones, f32x4.mul(d2, s1));
      f30 = flush(f30, c30, ones, f32x4.mul(d3, s0)); f31 = flush(f31, c31, ones, f32x4.mul(d3, s1));
      pw += PANEL_BLOCK;
      a += 4 * A8 - 32;
    }
    v128.store(y, f00, 0); v128.store(y, f01, 16); y += ldy;
    v128.store(y, f10, 0); v128.store(y, f11, 16); y += ldy;
    v128.store(y, f20, 0); v128.store(y, f21, 16); y += ldy;
    v128.store(y, f30, 0); v128.store(y, f31, 16); y += ldy;
  }
}

/** Weights as `pack_q4` leaves them; see `matmul`. */
export function matmul_q4(
  w: usize, x: usize, y: usize, rows: i32, k: i32, n: i32,
  bias: usize, act: i32, residual: usize, a: usize, panel: usize, chunk: i32,
): void {
  const tile = <usize>((k + 31) >> 5) * Q4_BLOCK;
  matmul(w, tile, x, y, rows, k, n, bias, act, residual, a, panel, chunk, A8, quantize_a8_q4, unpack, quads, gemv);
}
