import type { Engine } from './engine.ts';
import { matmulQ4 } from './reference.ts';

/**
 * Whether the 4-bit product of a fixed small matrix comes out bit for bit as the reference computes it.
 * Guards against engines that miscompile SIMD (Node 20's baseline compiler does, with relaxed SIMD).
 */
export function agreesWithReference({ memory, kernels, matmul }: Engine): boolean {
  const [n, k, rows] = [16, 80, 5];
  const random = generator(1);
  const q = Uint8Array.from({ length: n * (k / 2) }, () => random() & 255);
  const scale = Uint16Array.from({ length: n * 3 }, () => (random() & 0x8fff) | 0x2000);
  const x = Float32Array.from({ length: rows * k }, () => (random() - 32_768) / 4096);

  const [pq, ps, px] = [memory.put(q), memory.put(new Uint8Array(scale.buffer)), memory.put(x)];
  const weight = memory.alloc((n / 8) * 3 * 144);
  const py = memory.alloc(rows * n * 4);
  kernels.pack_q4(pq, ps, weight, n, k);
  matmul({ bits: 4, in_features: k, out_features: n, weight, bias: 0 }, px, py, rows);
  const y = memory.f32(py, rows * n).slice();
  for (const at of [pq, ps, px, weight, py]) memory.free(at);

  const expected = matmulQ4({ n, k, q, scale }, x, rows);
  return y.every((v, i) => v === expected[i]);
}

/** 16 random bits at a time (Numerical Recipes' linear congruential generator). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 16;
  };
}
