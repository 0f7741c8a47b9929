// What follows a product, done while its rows are still in the cache: bias, activation, residual.

import { exp4, sigmoid4 } from "./vector";

export const NONE: i32 = 0;
export const RELU6: i32 = 1;
export const GELU_TANH: i32 = 2;
export const GELU: i32 = 3;
export const QUICK_GELU: i32 = 4;

/** 0.5 x (1 + tanh(u)) = x * sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3) (Hendrycks and Gimpel, 2016). */
// @ts-ignore: decorator
@inline
function geluTanh(x: v128): v128 {
  const x3 = f32x4.mul(f32x4.mul(x, x), x);
  const u = f32x4.mul(f32x4.add(x, f32x4.mul(x3, f32x4.splat(0.044715))), f32x4.splat(1.5957691216057308));
  return f32x4.mul(x, sigmoid4(u));
}

/** 0.5 x (1 + erf(x / sqrt(2))), erf by Abramowitz and Stegun's 7.1.26: within 1.5e-7, which float32 rounds to 1e-6. */
// @ts-ignore: decorator
@inline
function gelu(x: v128): v128 {
  const one = f32x4.splat(1);
  const z = f32x4.mul(f32x4.abs(x), f32x4.splat(0.7071067811865476));
  const t = f32x4.div(one, f32x4.add(one, f32x4.mul(z, f32x4.splat(0.3275911))));
  let p = f32x4.splat(1.061405429);
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-1.453152027));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(1.421413741));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-0.284496736));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.254829592));
  // Half of erfc(|x| / sqrt(2)): the share of x that is taken away above zero and left below.
  const tail = f32x4.mul(f32x4.mul(f32x4.mul(p, t), exp4(f32x4.neg(f32x4.mul(z, z)))), f32x4.splat(0.5));
  const share = v128.bitselect(f32x4.sub(one, tail), tail, f32x4.ge(x, f32x4.splat(0)));
  return f32x4.mul(x, share);
}

/** y = act(y + bias) + residual over [rows, n]; a zero pointer stands for no bias or no residual. n % 4 == 0. */
export function epilogue(y: usize, rows: i32, n: i32, bias: usize, act: i32, residual: usize): void {
  const ld = <usize>n * 4;
  const zero = f32x4.splat(0), six = f32x4.splat(6);
  for (let r = 0; r < rows; r++) {
    for (let i: usize = 0; i < ld; i += 16) {
      let v = v128.load(y + i);
      if (bias) v = f32x4.add(v, v128.load(bias + i));
      if (act == RELU6) v = f32x4.min(f32x4.max(v, zero), six);
      else if (act == GELU_TANH) v = geluTanh(v);
      else if (act == GELU) v = gelu(v);
      else if (act == QUICK_GELU) v = f32x4.mul(v, sigmoid4(f32x4.mul(v, f32x4.splat(1.702))));
      if (residual) v = f32x4.add(v, v128.load(residual + i));
      v128.store(y + i, v);
    }
    y += ld;
    if (residual) residual += ld;
  }
}
