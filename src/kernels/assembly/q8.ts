// x W^T with 8-bit weights: exact integer products, the same in both builds.

import { A16, quantize_a16_q8 } from "./quantize";
import { Q8_BLOCK } from "./pack";
import { PANEL_BLOCK, quads16, single16 } from "./panel16";
import { matmul } from "./matmul";

function unpack(w: usize, panel: usize, nb: i32): void {
  const s0 = v128.load(w, 0), s1 = v128.load(w, 16);
  w += 32;
  for (let b = 0; b < nb; b++) {
    v128.store(panel, s0, 0);
    v128.store(panel, s1, 16);
    for (let p: usize = 0; p < 16; p++) {
      const v = v128.load(w + 16 * p);
      v128.store(panel + 32 * p, i16x8.extend_low_i8x16_s(v), 32);
      v128.store(panel + 32 * p, i16x8.extend_high_i8x16_s(v), 48);
    }
    w += Q8_BLOCK;
    panel += PANEL_BLOCK;
  }
}

function single(w: usize, a: usize, y: usize, nb: i32, tiles: i32, panel: usize): void {
  for (let t = 0; t < tiles; t++) {
    unpack(w, panel, nb);
    single16(panel, a, y, nb);
    w += 32 + <usize>nb * Q8_BLOCK;
    y += 32;
  }
}

/** Weights as `pack_q8` leaves them; see `matmul`. */
export function matmul_q8(
  w: usize, x: usize, y: usize, rows: i32, k: i32, n: i32,
  bias: usize, act: i32, residual: usize, a: usize, panel: usize, chunk: i32,
): void {
  const tile = <usize>32 + <usize>((k + 31) >> 5) * Q8_BLOCK;
  matmul(w, tile, x, y, rows, k, n, bias, act, residual, a, panel, chunk, A16, quantize_a16_q8, unpack, quads16, single);
}
