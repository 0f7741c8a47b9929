import { describe, expect, it } from 'vitest';
import { createEngine, type Activation } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { erf } from '../reference/erf.ts';
import { activations, uniform } from '../reference/random.ts';

const engines = (['relaxed', 'simd'] as const).map((build) =>
  createEngine(nodeKernelModules, 2 ** 28, [build]),
);
const random = uniform(31);

function expectClose(actual: Float32Array, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  const size = Math.max(1, ...Array.from(expected, Math.abs));
  actual.forEach((v, i) => {
    expect(Math.abs(v - (expected[i] ?? NaN)), `element ${i}`).toBeLessThan(tolerance * size);
  });
}

describe.each(engines)('in the $build build', ({ memory, kernels, matmul }) => {
  it('layer_norm takes the mean away, however large it is', () => {
    const [rows, n, eps] = [3, 44, 1e-6];
    const x = activations(rows * n, random).map((v, i) => v + 100 * Math.floor(i / n));
    const [weight, bias] = [activations(n, random), activations(n, random)];
    const y = memory.alloc(4 * rows * n);
    kernels.layer_norm(memory.put(x), memory.put(weight), memory.put(bias), y, rows, n, eps);
    const expected = Array.from(x, (v, i) => {
      const row = x.subarray(i - (i % n), i - (i % n) + n);
      const mean = row.reduce((s, w) => s + w, 0) / n;
      const variance = row.reduce((s, w) => s + (w - mean) ** 2, 0) / n;
      return ((v - mean) / Math.sqrt(variance + eps)) * (weight[i % n] ?? 0) + (bias[i % n] ?? 0);
    });
    expectClose(memory.f32(y, rows * n), expected, 1e-5);
  });

  it.each<readonly [Activation, (v: number) => number]>([
    ['gelu', (v) => 0.5 * v * (1 + erf(v * Math.SQRT1_2))],
    ['quick_gelu', (v) => v / (1 + Math.exp(-1.702 * v))],
    ['gelu_pytorch_tanh', (v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))],
  ])('%s is right to 1e-6 from -12 to 12', (act, f) => {
    const n = 2400;
    const points = Float32Array.from({ length: n }, (_, i) => (i - n / 2) / 100);
    const zeros = memory.put(new Uint8Array((n / 8) * 144)); // whatever the nibbles are, their scales are zero
    const [x, y] = [memory.put(new Float32Array(32)), memory.alloc(4 * n)];
    const layer = {
      bits: 4,
      in_features: 32,
      out_features: n,
      weight: zeros,
      bias: memory.put(points),
    } as const;
    matmul(layer, x, y, 1, { act });
    memory.f32(y, n).forEach((v, i) => {
      const point = points[i] ?? NaN;
      expect(Math.abs(v - f(point)), `${act}(${point})`).toBeLessThan(1e-6 * Math.max(1, Math.abs(point)));
    });
  });

  it.each([
    { channels: 3, size: 12, patch: 4 },
    { channels: 3, size: 23, patch: 7 },
    { channels: 1, size: 5, patch: 5 },
  ])('patches are the rows of a Conv2d: $patch of $size', ({ channels, size, patch }) => {
    const side = Math.floor(size / patch);
    const x = activations(channels * size * size, random);
    const width = channels * patch * patch;
    const y = memory.alloc(4 * side * side * width);
    const at = memory.put(x);
    const half = Math.floor((side * side) / 2);
    kernels.patches(at, y, channels, size, patch, 0, half);
    kernels.patches(at, y + 4 * half * width, channels, size, patch, half, side * side - half);
    const expected = Array.from({ length: side * side * width }, (_, i) => {
      const [p, c] = [Math.floor(i / width), Math.floor((i % width) / patch / patch)];
      const [ky, kx] = [Math.floor(i / patch) % patch, i % patch];
      const [row, column] = [Math.floor(p / side) * patch + ky, (p % side) * patch + kx];
      return x[(c * size + row) * size + column] ?? NaN;
    });
    expect(Array.from(memory.f32(y, expected.length))).toEqual(expected);
  });

  it.each([
    { tokens: 1, heads: 1, dim: 4 },
    { tokens: 17, heads: 3, dim: 20 },
    { tokens: 50, heads: 2, dim: 72 },
    { tokens: 99, heads: 4, dim: 64 },
  ])('all $tokens rows attend to all: $heads heads of $dim', ({ tokens, heads, dim }) => {
    const width = heads * dim;
    const q = activations(tokens * width, random);
    const kv = activations(tokens * 2 * width, random);
    const panels = memory.alloc(4 * 2 * (tokens + 3) * width);
    memory.f32(panels, 2 * (tokens + 3) * width).fill(NaN); // what pads a panel is read and must not be seen
    const [pq, y] = [memory.put(q), memory.alloc(4 * tokens * width)];
    const scratch = memory.alloc(4 * 8 * (2 * dim + tokens + 4));
    // In two parts each, as a tower goes through its rows.
    for (const [from, rows] of [
      [0, Math.floor(tokens / 2)],
      [Math.floor(tokens / 2), Math.ceil(tokens / 2)],
    ] as const) {
      const part = memory.put(kv.slice(from * 2 * width, (from + rows) * 2 * width));
      kernels.pack_keys_values(part, panels, from, rows, tokens, heads, dim);
    }
    const cut = Math.ceil(tokens / 3);
    kernels.attend_image(pq, panels, y, cut, tokens, heads, dim, scratch);
    const behind = 4 * cut * width;
    kernels.attend_image(pq + behind, panels, y + behind, tokens - cut, tokens, heads, dim, scratch);

    const expected = Array.from({ length: tokens }, (_, t) =>
      Array.from({ length: heads }, (_, h) => {
        const at = (row: number, part: 0 | 1, d: number) => kv[(2 * row + part) * width + h * dim + d] ?? NaN;
        const scores = Array.from({ length: tokens }, (_, row) => {
          let s = 0;
          for (let d = 0; d < dim; d++) s += (q[t * width + h * dim + d] ?? NaN) * at(row, 0, d);
          return s / Math.sqrt(dim);
        });
        const top = Math.max(...scores);
        const weights = scores.map((s) => Math.exp(s - top));
        const total = weights.reduce((a, b) => a + b, 0);
        return Array.from({ length: dim }, (_, d) =>
          weights.reduce((sum, w, row) => sum + (w / total) * at(row, 1, d), 0),
        );
      }),
    ).flat(2);
    expectClose(memory.f32(y, tokens * width), expected, 1e-5);
  });
});
