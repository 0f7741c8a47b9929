import { describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { matmulQ4, quantizeBlock, type Q4Weights } from '../../src/kernels/reference.ts';
import { activations, uniform } from '../reference/random.ts';

const LIMIT = 2 ** 28;
const engines = (['relaxed', 'simd'] as const).map((build) =>
  createEngine(nodeKernelModules, LIMIT, [build]),
);

const SHAPES = [
  { n: 8, k: 32, rows: 1 },
  { n: 8, k: 1, rows: 3 },
  { n: 16, k: 24, rows: 7 },
  { n: 40, k: 144, rows: 64 },
  { n: 24, k: 50, rows: 65 },
  { n: 256, k: 704, rows: 1 },
  { n: 112, k: 240, rows: 130 },
  { n: 704, k: 257, rows: 4 },
  { n: 8, k: 6000, rows: 70 }, // so wide that fewer than 64 rows are quantised at a time
];

/** Any nibble, any normal or subnormal scale, either sign. */
function randomQ4(n: number, k: number, random: () => number): Q4Weights {
  const blocks = Math.ceil(k / 32);
  return {
    n,
    k,
    q: Uint8Array.from({ length: n * Math.ceil(k / 2) }, () => random() * 256),
    scale: Uint16Array.from({ length: n * blocks }, () => {
      const exponent = Math.floor(random() * 14);
      return (random() < 0.5 ? 0x8000 : 0) | (exponent << 10) | Math.floor(random() * 1024);
    }),
  };
}

function runQ4(
  { memory, kernels, matmul }: Engine,
  weights: Q4Weights,
  x: Float32Array,
  rows: number,
): Float32Array {
  const { n, k } = weights;
  const weight = memory.alloc((n / 8) * Math.ceil(k / 32) * 144);
  const [q, scale] = [memory.put(weights.q), memory.put(new Uint8Array(weights.scale.buffer))];
  kernels.pack_q4(q, scale, weight, n, k);
  const [px, py] = [memory.put(x), memory.alloc(4 * rows * n)];
  matmul({ bits: 4, in_features: k, out_features: n, weight, bias: 0 }, px, py, rows);
  const y = memory.f32(py, rows * n).slice();
  for (const at of [weight, q, scale, px, py]) memory.free(at);
  return y;
}

describe('the 4-bit product', () => {
  it.each(SHAPES)('is bit for bit the reference, in both builds: $rows x $k x $n', ({ n, k, rows }) => {
    const random = uniform(n * k + rows);
    const weights = randomQ4(n, k, random);
    const x = activations(rows * k, random);
    const expected = matmulQ4(weights, x, rows);
    for (const engine of engines) expect(runQ4(engine, weights, x, rows)).toEqual(expected);
  });

  it('takes activations beyond 254, where dot * scale * 2^112 would overflow', () => {
    const weights = randomQ4(8, 64, uniform(5));
    const x = activations(64, uniform(6)).map((v) => v * 20_000);
    const expected = matmulQ4(weights, x, 1);
    expect(expected.every(Number.isFinite)).toBe(true);
    for (const engine of engines) expect(runQ4(engine, weights, x, 1)).toEqual(expected);
  });

  it('is zero for a row of zeros and does not see its neighbours', () => {
    const weights = randomQ4(16, 40, uniform(7));
    const x = activations(5 * 40, uniform(8));
    x.fill(0, 80, 120);
    for (const engine of engines) {
      const y = runQ4(engine, weights, x, 5);
      expect(y.subarray(32, 48)).toEqual(new Float32Array(16));
      expect(y.subarray(48, 64)).toEqual(runQ4(engine, weights, x.subarray(120, 160), 1));
    }
  });
});

describe('the 8-bit product', () => {
  it.each(SHAPES)('is bit for bit a plain computation, in both builds: $rows x $k x $n', ({ n, k, rows }) => {
    const random = uniform(3 * n * k + rows);
    const q = Int8Array.from({ length: n * k }, () => random() * 255 - 127);
    const scale = Float32Array.from({ length: n }, () => random() * 0.01);
    const x = activations(rows * k, random);
    const expected = plainQ8(q, scale, x, n, k, rows);

    for (const { memory, kernels, matmul } of engines) {
      const weight = memory.alloc((n / 8) * (32 + 256 * Math.ceil(k / 32)));
      const [pq, ps] = [memory.put(new Uint8Array(q.buffer)), memory.put(scale)];
      kernels.pack_q8(pq, ps, weight, n, k);
      const [px, py] = [memory.put(x), memory.alloc(4 * rows * n)];
      matmul({ bits: 8, in_features: k, out_features: n, weight, bias: 0 }, px, py, rows);
      expect(memory.f32(py, rows * n).slice()).toEqual(expected);
      for (const at of [weight, pq, ps, px, py]) memory.free(at);
    }
  });
});

function plainQ8(
  q: Int8Array,
  scale: Float32Array,
  x: Float32Array,
  n: number,
  k: number,
  rows: number,
): Float32Array {
  const y = new Float32Array(rows * n);
  for (let r = 0; r < rows; r++) {
    for (let from = 0; from < k; from += 32) {
      const a = quantizeBlock(x.subarray(r * k + from, r * k + Math.min(k, from + 32)));
      for (let o = 0; o < n; o++) {
        const dot = a.q.reduce((sum, v, i) => sum + v * (q[o * k + from + i] ?? 0), 0);
        const s = Math.fround(a.scale * (scale[o] ?? 0));
        y[r * n + o] = Math.fround((y[r * n + o] ?? 0) + Math.fround(dot * s));
      }
    }
  }
  return y;
}

describe('what follows a product', () => {
  const [rows, n, k] = [6, 16, 32];
  const random = uniform(11);
  const weights = randomQ4(n, k, random);
  const x = activations(rows * k, random);
  const bias = activations(n, random);
  const residual = activations(rows * n, random);
  const plain = matmulQ4(weights, x, rows);
  const tanhGelu = (v: number) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));

  it.each([
    ['none', (v: number) => v],
    ['relu6', (v: number) => Math.min(6, Math.max(0, v))],
    ['gelu_pytorch_tanh', tanhGelu],
  ] as const)('adds a bias, applies %s and adds a residual', (act, f) => {
    for (const { memory, kernels, matmul } of engines) {
      const weight = memory.alloc((n / 8) * 144);
      const [q, scale] = [memory.put(weights.q), memory.put(new Uint8Array(weights.scale.buffer))];
      kernels.pack_q4(q, scale, weight, n, k);
      const [px, pb, pr, py] = [
        memory.put(x),
        memory.put(bias),
        memory.put(residual),
        memory.alloc(4 * rows * n),
      ];
      matmul({ bits: 4, in_features: k, out_features: n, weight, bias: pb }, px, py, rows, {
        act,
        residual: pr,
      });
      const y = memory.f32(py, rows * n);
      y.forEach((v, i) => {
        const expected = f((plain[i] ?? 0) + (bias[i % n] ?? 0)) + (residual[i] ?? 0);
        expect(Math.abs(v - expected)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
      });
      for (const at of [weight, q, scale, px, pb, pr, py]) memory.free(at);
    }
  });
});
