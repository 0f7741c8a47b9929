/** Uniform numbers in [0, 1), the same for the same seed (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Floats spread like activations: mostly small, some outliers. */
export function activations(length: number, random: () => number): Float32Array {
  return Float32Array.from({ length }, () => (random() - 0.5) * (random() < 0.02 ? 60 : 4));
}
