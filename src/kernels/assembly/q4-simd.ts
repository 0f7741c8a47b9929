// The products of q4-relaxed.ts for engines without relaxed SIMD: same weights, same bytes out.
// Nibbles become int16 pairs for i32x4.dot_i16x8_s.

import { halves, NIBBLE_MASK_I16 } from "./vector";
import { A16, quantize_a16_q4 } from "./quantize";
import { Q4_BLOCK } from "./pack";
import { PANEL_BLOCK, quads16 } from "./panel16";
import { matmul } from "./matmul";

// @ts-ignore: decorator
@inline
function dot(c: v128, w: v128, a: v128): v128 {
  return i32x4.add(c, i32x4.dot_i16x8_s(w, a));
}

/** One row of activations with all the weights: what decoding a token costs. */
function gemv(w: usize, a0: usize, y: usize, nb: i32, tiles: i32, panel: usize): void {
  const mask = v128.load(NIBBLE_MASK_I16);
  for (let t = 0; t < tiles; t++) {
    let a = a0;
    let f0 = f32x4.splat(0), f1 = f0;
    for (let b = 0; b < nb; b++) {
      let c0 = v128.load32_splat(a, 68), c1 = c0;
      for (let j: usize = 0; j < 4; j++) {
        const at = a + 16 * (j >> 1) + 4 * (j & 1);
        const e = v128.load32_splat(at, 0), he = v128.load32_splat(at, 32);
        const o = v128.load32_splat(at, 8), ho = v128.load32_splat(at, 40);
        const v = v128.load(w + 32 * j, 16), u = v128.load(w + 32 * j, 32);
        c0 = dot(c0, v128.and(v, mask), e); c0 = dot(c0, v128.and(i16x8.shr_u(v, 4), mask), he);
        c0 = dot(c0, v128.and(i16x8.shr_u(v, 8), mask), o); c0 = dot(c0, i16x8.shr_u(v, 12), ho);
        c1 = dot(c1, v128.and(u, mask), e); c1 = dot(c1, v128.and(i16x8.shr_u(u, 4), mask), he);
        c1 = dot(c1, v128.and(i16x8.shr_u(u, 8), mask), o); c1 = dot(c1, i16x8.shr_u(u, 12), ho);
      }
      const d = v128.load32_splat(a, 64);
      f0 = f32x4.add(f0, f32x4.mul(f32x4.convert_i32x4_s(c0), f32x4.mul(d, halves(w, 0))));
      f1 = f32x4.add(f1, f32x4.mul(f32x4.convert_i32x4_s(c1), f32x4.mul(d, halves(w, 8))));
      w += Q4_BLOCK;
      a += A16;
    }
    v128.store(y, f0, 0);
    v128.store(y, f1, 16);
    y += 32;
  }
}

function unpack(w: usize, panel: usize, nb: i32): void {
  const mask = v128.load(NIBBLE_MASK_I16);
  const eight = i16x8.splat(8);
  for (let b = 0; b < nb; b++) {
    v128.store(panel, halves(w, 0), 0);
    v128.store(panel, halves(w, 8), 16);
    for (let j: usize = 0; j < 4; j++) {
      for (let g: usize = 0; g < 32; g += 16) {
        const v = v128.load(w + 32 * j + g, 16);
        const at = panel + 32 * (4 * (j >> 1) + (j & 1)) + g;
        v128.store(at, i16x8.sub(v128.and(v, mask), eight), 32);
        v128.store(at, i16x8.sub(v128.and(i16x8.shr_u(v, 8), mask), eight), 32 + 64);
        v128.store(at, i16x8.sub(v128.and(i16x8.shr_u(v, 4), mask), eight), 32 + 256);
        v128.store(at, i16x8.sub(i16x8.shr_u(v, 12), eight), 32 + 320);
      }
    }
    w += Q4_BLOCK;
    panel += PANEL_BLOCK;
  }
}

/** Weights as `pack_q4` leaves them; see `matmul`. */
export function matmul_q4(
  w: usize, x: usize, y: usize, rows: i32, k: i32, n: i32,
  bias: usize, act: i32, residual: usize, a: usize, panel: usize, chunk: i32,
): void {
  const tile = <usize>((k + 31) >> 5) * Q4_BLOCK;
  matmul(w, tile, x, y, rows, k, n, bias, act, residual, a, panel, chunk, A16, quantize_a16_q4, unpack, quads16, gemv);
}
