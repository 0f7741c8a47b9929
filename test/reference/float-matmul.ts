import type { Engine, Linear, MatmulOptions } from '../../src/kernels/engine.ts';
import { erf } from './erf.ts';

/**
 * The engine with products of unrounded activations, in double precision over the same packed weights:
 * what is left of a difference from PyTorch is then not the 8-bit activations.
 */
export function withFloatActivations(engine: Engine): Engine {
  const dequantised = new WeakMap<Linear, Float32Array>();
  const matmul: Engine['matmul'] = (linear, ...rest) => {
    const w = dequantised.get(linear) ?? dequantise(engine, linear);
    dequantised.set(linear, w);
    multiply(engine, linear, w, ...rest);
  };
  return { ...engine, matmul };
}

/** The product of a layer, of which `linear` gives all but the weights. @param w [out_features, in_features] */
export function multiply(
  { memory }: Engine,
  { in_features: k, out_features: n, bias }: Linear,
  w: Float32Array,
  x: number,
  y: number,
  rows: number,
  { act = 'none', residual = 0 }: MatmulOptions = {},
): void {
  const input = memory.f32(x, rows * k).slice();
  const out = memory.f32(y, rows * n);
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < n; o++) {
      let sum = bias ? (memory.f32(bias + 4 * o, 1)[0] ?? 0) : 0;
      for (let i = 0; i < k; i++) sum += (input[r * k + i] ?? 0) * (w[o * k + i] ?? 0);
      out[r * n + o] = ACTIVATIONS[act](sum);
    }
  }
  if (residual) memory.f32(residual, rows * n).forEach((v, i) => (out[i] = (out[i] ?? 0) + v));
}

const ACTIVATIONS = {
  none: (v: number) => v,
  relu6: (v: number) => Math.min(6, Math.max(0, v)),
  gelu_pytorch_tanh: (v: number) =>
    0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))),
  gelu: (v: number) => 0.5 * v * (1 + erf(v * Math.SQRT1_2)),
  quick_gelu: (v: number) => v / (1 + Math.exp(-1.702 * v)),
};

/** The weights of a packed layer. // [out_features, in_features] */
function dequantise({ memory, kernels }: Engine, linear: Linear): Float32Array {
  const { in_features: k, out_features: n, weight, bits } = linear;
  const w = new Float32Array(n * k);
  if (bits === 4) {
    const row = memory.alloc(4 * k);
    for (let o = 0; o < n; o++) {
      kernels.unpack_q4_row(weight, o, k, row);
      w.set(memory.f32(row, k), o * k);
    }
    memory.free(row);
    return w;
  }
  const blocks = Math.ceil(k / 32);
  for (let o = 0; o < n; o++) {
    const tile = weight + (o >> 3) * (32 + 256 * blocks);
    const scale = memory.f32(tile, 8)[o & 7] ?? 0;
    const q = new Int8Array(memory.memory.buffer, tile + 32, 256 * blocks);
    for (let place = 0; place < 32 * blocks; place++) {
      const p = place & 7;
      const i = (place & ~7) + (p < 4 ? 2 * p : 2 * p - 7);
      if (i < k) w[o * k + i] = scale * (q[(place >> 1) * 16 + 2 * (o & 7) + (place & 1)] ?? 0);
    }
  }
  return w;
}
