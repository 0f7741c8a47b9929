/**
 * The quantised product in plain TypeScript, rounding where the kernels round, so that the two can be
 * compared bit for bit. Slow; for the check at load and for tests.
 */

/** 4-bit weights as a bundle stores them. */
export interface Q4Weights {
  readonly n: number;
  readonly k: number;
  readonly q: Uint8Array; // [n, ceil(k / 2)]
  readonly scale: Uint16Array; // float16 [n, ceil(k / 32)]
}

export function halfToFloat(h: number): number {
  const exponent = (h >> 10) & 31;
  const mantissa = h & 1023;
  const magnitude = exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15);
  return h & 0x8000 ? -magnitude : magnitude;
}

/** A block of up to 32 activations as int8 and their scale. */
export function quantizeBlock(x: Float32Array): { readonly q: Int8Array; readonly scale: number } {
  const amax = x.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  const inverse = amax > Math.fround(1e-30) ? Math.fround(127 / amax) : 0;
  const q = Int8Array.from(x, (v) => roundHalfEven(Math.fround(v * inverse)));
  return { q, scale: Math.fround(amax * Math.fround(1 / 127)) };
}

function roundHalfEven(v: number): number {
  const r = Math.round(v);
  return Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : r;
}

/** y = x W^T. @param x [rows, k] @returns [rows, n] */
export function matmulQ4(weights: Q4Weights, x: Float32Array, rows: number): Float32Array {
  const { n, k, q, scale } = weights;
  const blocks = Math.ceil(k / 32);
  const y = new Float32Array(rows * n);
  for (let r = 0; r < rows; r++) {
    for (let b = 0; b < blocks; b++) {
      const from = 32 * b;
      const a = quantizeBlock(x.subarray(r * k + from, r * k + Math.min(k, from + 32)));
      for (let o = 0; o < n; o++) {
        let dot = 0;
        a.q.forEach((v, i) => {
          const byte = q[o * Math.ceil(k / 2) + ((from + i) >> 1)] ?? 0;
          dot += v * (((byte >> (i & 1 ? 4 : 0)) & 15) - 8);
        });
        const s = Math.fround(a.scale * halfToFloat(scale[o * blocks + b] ?? 0));
        y[r * n + o] = Math.fround((y[r * n + o] ?? 0) + Math.fround(dot * s));
      }
    }
  }
  return y;
}
