// What follows a product, done while its rows are still in the cache: bias, activation, residual.

import { sigmoid4 } from "./vector";

export const NONE: i32 = 0;
export const RELU6: i32 = 1;
export const GELU_TANH: i32 = 2;

/** 0.5 x (1 + tanh(u)) = x * sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3) (Hendrycks and Gimpel, 2016). */
// @ts-ignore: decorator
@inline
function gelu(x: v128): v128 {
  const x3 = f32x4.mul(f32x4.mul(x, x), x);
  const u = f32x4.mul(f32x4.add(x, f32x4.mul(x3, f32x4.splat(0.044715))), f32x4.splat(1.5957691216057308));
  return f32x4.mul(x, sigmoid4(u));
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
      else if (act == GELU_TANH) v = gelu(v);
      if (residual) v = f32x4.add(v, v128.load(residual + i));
      v128.store(y + i, v);
    }
    y += ld;
    if (residual) residual += ld;
  }
}
