// Activations to int8 in blocks of 32, one float32 scale a block: amax / 127, rounded to nearest even.
// Where the weights have 4 bits the scale is stored times 2^112, which undoes the 2^-112 that `halves`
// leaves in the weights' scales.
//
// "A8" record, 40 bytes:  i8 q[32]; f32 scale; i16 twice -4 * sum(q)            (relaxed dot products)
// "A16" record, 80 bytes: i16 q[32], every 8 in the order 0 2 4 6 1 3 5 7; f32 scale; i32 -8 * sum(q)
// The sums carry the zero point of the 4-bit weights, which are stored as value + 8.

import { hmax, ONES_I16 } from "./vector";

export const A8: usize = 40;
export const A16: usize = 80;

const UNDO_HALVES: f32 = 5.192296858534828e33; // 2^112

const TAIL = memory.data(128, 16);

/** Nearest even integer for |x * id| < 2^22: adding 1.5 * 2^23 leaves it in the low mantissa bits. */
// @ts-ignore: decorator
@inline
function round(x: v128, id: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(x, id), f32x4.splat(12582912.0)), i32x4.splat(0x4b400000));
}

// @ts-ignore: decorator
@inline
function block(x: usize, out: usize, wide: bool, unit: f32): void {
  const x0 = v128.load(x, 0), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
  const x4 = v128.load(x, 64), x5 = v128.load(x, 80), x6 = v128.load(x, 96), x7 = v128.load(x, 112);
  let m = f32x4.max(f32x4.abs(x0), f32x4.abs(x1));
  m = f32x4.max(m, f32x4.max(f32x4.abs(x2), f32x4.abs(x3)));
  m = f32x4.max(m, f32x4.max(f32x4.abs(x4), f32x4.abs(x5)));
  m = f32x4.max(m, f32x4.max(f32x4.abs(x6), f32x4.abs(x7)));
  const amax = hmax(m);
  // Below 1e-30 the reciprocal would overflow; such a block is zero for every purpose.
  const id = f32x4.splat(amax > 1e-30 ? 127.0 / amax : 0);
  const i0 = i16x8.narrow_i32x4_s(round(x0, id), round(x1, id));
  const i1 = i16x8.narrow_i32x4_s(round(x2, id), round(x3, id));
  const i2 = i16x8.narrow_i32x4_s(round(x4, id), round(x5, id));
  const i3 = i16x8.narrow_i32x4_s(round(x6, id), round(x7, id));
  const s4 = i32x4.dot_i16x8_s(i16x8.add(i16x8.add(i0, i1), i16x8.add(i2, i3)), v128.load(ONES_I16));
  const sum =
    i32x4.extract_lane(s4, 0) + i32x4.extract_lane(s4, 1) + i32x4.extract_lane(s4, 2) + i32x4.extract_lane(s4, 3);
  const scale = amax * <f32>(1.0 / 127.0) * unit;
  if (wide) {
    v128.store(out, v128.shuffle<i16>(i0, i0, 0, 2, 4, 6, 1, 3, 5, 7), 0);
    v128.store(out, v128.shuffle<i16>(i1, i1, 0, 2, 4, 6, 1, 3, 5, 7), 16);
    v128.store(out, v128.shuffle<i16>(i2, i2, 0, 2, 4, 6, 1, 3, 5, 7), 32);
    v128.store(out, v128.shuffle<i16>(i3, i3, 0, 2, 4, 6, 1, 3, 5, 7), 48);
    store<f32>(out, scale, 64);
    store<i32>(out, -8 * sum, 68);
  } else {
    v128.store(out, i8x16.narrow_i16x8_s(i0, i1), 0);
    v128.store(out, i8x16.narrow_i16x8_s(i2, i3), 16);
    store<f32>(out, scale, 32);
    const c = (-4 * sum) & 0xffff;
    store<i32>(out, c | (c << 16), 36);
  }
}

// @ts-ignore: decorator
@inline
function row(x: usize, k: i32, out: usize, stride: usize, wide: bool, unit: f32): void {
  for (let b = k >> 5; b > 0; b--) {
    block(x, out, wide, unit);
    x += 128;
    out += stride;
  }
  const tail = <usize>(k & 31) * 4;
  if (tail) {
    memory.copy(TAIL, x, tail);
    memory.fill(TAIL + tail, 0, 128 - tail);
    block(TAIL, out, wide, unit);
  }
}

// Rows go in fours, block b of rows 4q..4q+3 side by side, so that the product walks one stream; the
// rows left over stand alone behind them.
// @ts-ignore: decorator
@inline
function arrange(x: usize, rows: i32, k: i32, out: usize, record: usize, wide: bool, unit: f32): void {
  const nb = <usize>((k + 31) >> 5);
  const ldx = <usize>k * 4;
  const quads = rows & ~3;
  for (let r = 0; r < rows; r++) {
    const inQuad = r < quads;
    const at = inQuad ? out + <usize>(r >> 2) * nb * 4 * record + <usize>(r & 3) * record : out + <usize>r * nb * record;
    row(x, k, at, inQuad ? 4 * record : record, wide, unit);
    x += ldx;
  }
}

export function quantize_a8_q4(x: usize, rows: i32, k: i32, out: usize): void {
  arrange(x, rows, k, out, A8, false, UNDO_HALVES);
}

export function quantize_a16_q4(x: usize, rows: i32, k: i32, out: usize): void {
  arrange(x, rows, k, out, A16, true, UNDO_HALVES);
}

export function quantize_a16_q8(x: usize, rows: i32, k: i32, out: usize): void {
  arrange(x, rows, k, out, A16, true, 1);
}
