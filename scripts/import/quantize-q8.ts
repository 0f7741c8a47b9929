/** Rows of a matrix in the bundle's 8 bits: value = q * scale. */
export interface Q8Rows {
  readonly q: Int8Array; // [rows, k]
  readonly scale: Float32Array; // [rows]
}

/** To the nearest step, the largest magnitude of a row on 127. @param values [rows, k], finite */
export function quantizeQ8(values: Float32Array, k: number): Q8Rows {
  const rows = values.length / k;
  const q = new Int8Array(values.length);
  const scale = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const weights = values.subarray(row * k, (row + 1) * k);
    const step = Math.fround(weights.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127);
    scale[row] = step;
    if (step > 0) weights.forEach((value, i) => (q[row * k + i] = clamp(Math.round(value / step))));
  }
  return { q, scale };
}

/** A step of float32 may be a little smaller than it should be. */
function clamp(step: number): number {
  return Math.max(-127, Math.min(127, step));
}
