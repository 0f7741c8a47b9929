import type { WasmMemory } from '../../kernels/memory.ts';
import type { LlamaConfig } from './config.ts';
import { ropeFrequencies } from './rope-frequencies.ts';

/** Writes a position's cosines and, behind them, its sines to an address. // [2, head_dim / 2] */
export type RotaryEmbedding = (position: number, at: number) => void;

/**
 * Rotary position embedding (Su et al., 2021), computed for the rows of each pass: a table of all positions would
 * take megabytes for a long context. Angles are rounded as transformers rounds them.
 */
export function createRotaryEmbedding(memory: WasmMemory, config: LlamaConfig): RotaryEmbedding {
  const { inv_freq, attention_scaling } = ropeFrequencies(config);
  const half = inv_freq.length;
  return (position, at) => {
    const row = memory.f32(at, 2 * half);
    inv_freq.forEach((freq, i) => {
      const angle = Math.fround(position * freq);
      row[i] = Math.cos(angle) * attention_scaling;
      row[half + i] = Math.sin(angle) * attention_scaling;
    });
  };
}
