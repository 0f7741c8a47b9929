import { describe, expect, it } from 'vitest';
import { createEngine } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { activations, uniform } from '../reference/random.ts';

const { memory, kernels } = createEngine(nodeKernelModules, 2 ** 28);
const random = uniform(21);
const read = (at: number, n: number) => memory.f32(at, n).slice();

function expectClose(actual: Float32Array, expected: ArrayLike<number>, tolerance = 2e-6): void {
  expect(actual.length).toBe(expected.length);
  const size = Math.max(1, ...Array.from(expected, Math.abs));
  actual.forEach((v, i) => {
    expect(Math.abs(v - (expected[i] ?? NaN)), `element ${i}`).toBeLessThan(tolerance * size);
  });
}

describe('convolutions', () => {
  const relu6 = (v: number) => Math.min(6, Math.max(0, v));

  it.each([
    { size: 7, kernel: 3, stride: 1, pad: 1, out: 7 },
    { size: 8, kernel: 3, stride: 2, pad: 0, out: 4 },
    { size: 9, kernel: 5, stride: 2, pad: 2, out: 5 },
    { size: 3, kernel: 5, stride: 1, pad: 2, out: 3 },
  ])('depthwise $kernel x $kernel, stride $stride over $size', ({ size, kernel, stride, pad, out }) => {
    const c = 48;
    const x = activations(size * size * c, random);
    const weight = activations(kernel * kernel * c, random);
    const bias = activations(c, random);
    const y = memory.alloc(4 * out * out * c);
    kernels.depthwise_relu6(
      ...[memory.put(x), memory.put(weight), memory.put(bias), y],
      ...[size, size, c, out, kernel, stride, pad, 0, out],
    );
    const expected = Array.from({ length: out * out * c }, (_, i) => {
      const [oy, ox, ch] = [Math.floor(i / c / out), Math.floor(i / c) % out, i % c];
      let sum = bias[ch] ?? 0;
      for (let ky = 0; ky < kernel; ky++) {
        for (let kx = 0; kx < kernel; kx++) {
          const [iy, ix] = [oy * stride - pad + ky, ox * stride - pad + kx];
          if (iy < 0 || ix < 0 || iy >= size || ix >= size) continue;
          sum += (x[(iy * size + ix) * c + ch] ?? 0) * (weight[(ky * kernel + kx) * c + ch] ?? 0);
        }
      }
      return relu6(sum);
    });
    expectClose(read(y, expected.length), expected);
  });

  it('the stem reads pixel_values channels first', () => {
    const [channels, size, c, out] = [3, 9, 16, 5];
    const x = activations(channels * size * size, random);
    const weight = activations(channels * 9 * c, random);
    const bias = activations(c, random);
    const y = memory.alloc(4 * out * out * c);
    kernels.stem_relu6(
      ...[memory.put(x), memory.put(weight), memory.put(bias), y],
      ...[channels, size, size, c, out, out, 3, 2, 1],
    );
    const expected = Array.from({ length: out * out * c }, (_, i) => {
      const [oy, ox, o] = [Math.floor(i / c / out), Math.floor(i / c) % out, i % c];
      let sum = bias[o] ?? 0;
      for (let t = 0; t < channels * 9; t++) {
        const [iy, ix] = [oy * 2 - 1 + (Math.floor(t / 3) % 3), ox * 2 - 1 + (t % 3)];
        if (iy < 0 || ix < 0 || iy >= size || ix >= size) continue;
        sum += (x[(Math.floor(t / 9) * size + iy) * size + ix] ?? 0) * (weight[t * c + o] ?? 0);
      }
      return relu6(sum);
    });
    expectClose(read(y, expected.length), expected);
  });
});

describe('a transformer between its products', () => {
  it('normalises by the root mean square', () => {
    const [rows, n] = [3, 40];
    const [x, weight] = [activations(rows * n, random), activations(n, random)];
    const y = memory.alloc(4 * rows * n);
    kernels.rms_norm(memory.put(x), memory.put(weight), y, rows, n, 1e-5);
    const expected = Array.from(x, (v, i) => {
      const row = x.subarray(i - (i % n), i - (i % n) + n);
      return (v / Math.sqrt(row.reduce((s, w) => s + w * w, 0) / n + 1e-5)) * (weight[i % n] ?? 0);
    });
    expectClose(read(y, rows * n), expected);
  });

  it('gates by SiLU', () => {
    const [rows, n] = [2, 12];
    const x = activations(rows * 2 * n, random);
    const y = memory.alloc(4 * rows * n);
    kernels.silu_mul(memory.put(x), y, rows, n);
    const expected = Array.from({ length: rows * n }, (_, i) => {
      const at = Math.floor(i / n) * 2 * n + (i % n);
      const gate = x[at] ?? 0;
      return (gate / (1 + Math.exp(-gate))) * (x[at + n] ?? 0);
    });
    expectClose(read(y, rows * n), expected);
  });

  it.each([
    { heads: 4, kvHeads: 4, len0: 0, len1: 1 },
    { heads: 4, kvHeads: 2, len0: 51, len1: 9 },
    { heads: 6, kvHeads: 1, len0: 3, len1: 30 },
  ])('attends over a prefix and its own: $heads heads on $kvHeads, $len0 + $len1', (shape) => {
    const { heads, kvHeads, len0, len1 } = shape;
    const dim = 16;
    const width = kvHeads * dim;
    const q = activations(heads * dim, random);
    const k = activations((len0 + len1) * width, random);
    const v = activations((len0 + len1) * width, random);
    const y = memory.alloc(4 * heads * dim);
    const part = (a: Float32Array, from: number, to: number) => memory.put(a.slice(from * width, to * width));
    kernels.attention(
      memory.put(q),
      ...([part(k, 0, len0), part(v, 0, len0), len0] as const),
      ...([part(k, len0, len0 + len1), part(v, len0, len0 + len1), len1] as const),
      ...([y, heads, kvHeads, dim, memory.alloc(4 * (len0 + len1 + 4))] as const),
    );
    const expected = Array.from({ length: heads * dim }, (_, i) => {
      const head = Math.floor(i / dim);
      const group = Math.floor(head / (heads / kvHeads));
      const at = (a: Float32Array, p: number, d: number) => a[p * width + group * dim + d] ?? 0;
      const scores = Array.from({ length: len0 + len1 }, (_, p) => {
        let s = 0;
        for (let d = 0; d < dim; d++) s += (q[head * dim + d] ?? 0) * at(k, p, d);
        return s / Math.sqrt(dim);
      });
      const top = Math.max(...scores);
      const weights = scores.map((s) => Math.exp(s - top));
      const total = weights.reduce((a, b) => a + b, 0);
      return weights.reduce((sum, w, p) => sum + (w / total) * at(v, p, i % dim), 0);
    });
    expectClose(read(y, expected.length), expected, 1e-5);
  });
});
