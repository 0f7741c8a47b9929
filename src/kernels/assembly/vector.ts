// Small SIMD helpers. Constants that inner loops need stand in memory: V8 keeps a loaded vector in a
// register but builds a literal anew at every use.

export const NIBBLE_MASK_I8 = memory.data<u8>([15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15], 16);
export const NIBBLE_MASK_I16 = memory.data<u16>([15, 15, 15, 15, 15, 15, 15, 15], 16);
export const ONES_I16 = memory.data<u16>([1, 1, 1, 1, 1, 1, 1, 1], 16);

// @ts-ignore: decorator
@inline
export function hmax(v: v128): f32 {
  let m = f32x4.max(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
  m = f32x4.max(m, v128.shuffle<i32>(m, m, 1, 0, 3, 2));
  return f32x4.extract_lane(m, 0);
}

// @ts-ignore: decorator
@inline
export function hsum(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** float16 to float32 * 2^-112, sign and subnormals included: the exponent bits only change place. */
// @ts-ignore: decorator
@inline
export function halves(p: usize, offset: usize): v128 {
  return v128.and(i32x4.shl(v128.load_ext<i16>(p + offset), 13), i32x4.splat(0x8fffe000));
}

// Of `exp4`: bounds, 1 / ln 2, ln 2 in two parts, the polynomial from its highest power.
const EXP = memory.data<f32>([
  -86.0, 88.0, 1.44269504088896341, 0.693359375, -2.12194440e-4,
  1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1.0,
  12582912.0,
], 16);

/** e^x by range reduction to [-ln2/2, ln2/2] and a degree-6 polynomial (Cephes expf): 2 ulp. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const v = f32x4.pmin(f32x4.pmax(x, v128.load32_splat(EXP, 0)), v128.load32_splat(EXP, 4));
  const shifted = f32x4.add(f32x4.mul(v, v128.load32_splat(EXP, 8)), v128.load32_splat(EXP, 48));
  const n = f32x4.sub(shifted, v128.load32_splat(EXP, 48));
  let r = f32x4.sub(v, f32x4.mul(n, v128.load32_splat(EXP, 12)));
  r = f32x4.sub(r, f32x4.mul(n, v128.load32_splat(EXP, 16)));
  let p = v128.load32_splat(EXP, 20);
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(EXP, 24));
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(EXP, 28));
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(EXP, 32));
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(EXP, 36));
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(EXP, 40));
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), v128.load32_splat(EXP, 44));
  return i32x4.add(p, i32x4.shl(shifted, 23));
}

// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  return f32x4.div(f32x4.splat(1.0), f32x4.add(f32x4.splat(1.0), exp4(f32x4.neg(x))));
}
