// Products through a panel: 8 output rows of weights unpacked once to int16, then multiplied with many
// rows of A16 records. Serves 8-bit weights in both builds and 4-bit weights where there is no relaxed SIMD.
// Panel block, 544 bytes: 8 float32 scales, then 16 pairs of inputs, two vectors each (rows 0..3, 4..7).

import { A16 } from "./quantize";

export const PANEL_BLOCK: usize = 544;

/**
 * Four rows of activations at a time. The loop over pairs stays rolled: unrolled, engines reorder it into
 * spills. It ends early where the last block is padding: with the 16 inputs of a first expansion, half of it.
 */
export function quads16(panel: usize, a: usize, y: usize, ldy: usize, quads: i32, k: i32): void {
  const nb = (k + 31) >> 5;
  const last = <usize>(((k - 1) & 31) >> 3) * 16 + 16; // bytes of the last block's pairs, in eights of inputs
  for (let q = 0; q < quads; q++) {
    let pw = panel;
    let f00 = f32x4.splat(0), f01 = f00, f10 = f00, f11 = f00, f20 = f00, f21 = f00, f30 = f00, f31 = f00;
    for (let b = 0; b < nb; b++) {
      let c00 = i32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
      const used: usize = b == nb - 1 ? last : 64;
      const end = a + used;
      let pv = pw;
      do {
        const w0 = v128.load(pv, 32), w1 = v128.load(pv, 48);
        const a0 = v128.load32_splat(a, 0);
        c00 = i32x4.add(c00, i32x4.dot_i16x8_s(a0, w0));
        c01 = i32x4.add(c01, i32x4.dot_i16x8_s(a0, w1));
        const a1 = v128.load32_splat(a, 80);
        c10 = i32x4.add(c10, i32x4.dot_i16x8_s(a1, w0));
        c11 = i32x4.add(c11, i32x4.dot_i16x8_s(a1, w1));
        const a2 = v128.load32_splat(a, 160);
        c20 = i32x4.add(c20, i32x4.dot_i16x8_s(a2, w0));
        c21 = i32x4.add(c21, i32x4.dot_i16x8_s(a2, w1));
        const a3 = v128.load32_splat(a, 240);
        c30 = i32x4.add(c30, i32x4.dot_i16x8_s(a3, w0));
        c31 = i32x4.add(c31, i32x4.dot_i16x8_s(a3, w1));
        pv += 32;
        a += 4;
      } while (a < end);
      a += 64 - used;
      const s0 = v128.load(pw, 0), s1 = v128.load(pw, 16);
      const d0 = v128.load32_splat(a, 0), d1 = v128.load32_splat(a, 80);
      f00 = f32x4.add(f00, f32x4.mul(f32x4.convert_i32x4_s(c00), f32x4.mul(d0, s0)));
      f01 = f32x4.add(f01, f32x4.mul(f32x4.convert_i32x4_s(c01), f32x4.mul(d0, s1)));
      f10 = f32x4.add(f10, f32x4.mul(f32x4.convert_i32x4_s(c10), f32x4.mul(d1, s0)));
      f11 = f32x4.add(f11, f32x4.mul(f32x4.convert_i32x4_s(c11), f32x4.mul(d1, s1)));
      const d2 = v128.load32_splat(a, 160), d3 = v128.load32_splat(a, 240);
      f20 = f32x4.add(f20, f32x4.mul(f32x4.convert_i32x4_s(c20), f32x4.mul(d2, s0)));
      f21 = f32x4.add(f21, f32x4.mul(f32x4.convert_i32x4_s(c21), f32x4.mul(d2, s1)));
      f30 = f32x4.add(f30, f32x4.mul(f32x4.convert_i32x4_s(c30), f32x4.mul(d3, s0)));
      f31 = f32x4.add(f31, f32x4.mul(f32x4.convert_i32x4_s(c31), f32x4.mul(d3, s1)));
      pw += PANEL_BLOCK;
      a += 4 * A16 - 64;
    }
    v128.store(y, f00, 0); v128.store(y, f01, 16); y += ldy;
    v128.store(y, f10, 0); v128.store(y, f11, 16); y += ldy;
    v128.store(y, f20, 0); v128.store(y, f21, 16); y += ldy;
    v128.store(y, f30, 0); v128.store(y, f31, 16); y += ldy;
  }
}

/** One row of activations. */
export function single16(panel: usize, a: usize, y: usize, nb: i32): void {
  let f0 = f32x4.splat(0), f1 = f0;
  for (let b = 0; b < nb; b++) {
    let c0 = i32x4.splat(0), c1 = c0;
    for (let p: usize = 0; p < 16; p++) {
      const v = v128.load32_splat(a + 4 * p);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(v, v128.load(panel + 32 * p, 32)));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(v, v128.load(panel + 32 * p, 48)));
    }
    const d = v128.load32_splat(a, 64);
    f0 = f32x4.add(f0, f32x4.mul(f32x4.convert_i32x4_s(c0), f32x4.mul(d, v128.load(panel, 0))));
    f1 = f32x4.add(f1, f32x4.mul(f32x4.convert_i32x4_s(c1), f32x4.mul(d, v128.load(panel, 16))));
    panel += PANEL_BLOCK;
    a += A16;
  }
  v128.store(y, f0, 0);
  v128.store(y, f1, 16);
}
