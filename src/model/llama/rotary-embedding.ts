import type { WasmMemory } from '../../kernels/memory.ts';
import type { LlamaConfig } from './config.ts';

/** Addresses of a position's cosines and sines. // [head_dim / 2] each */
export type RotaryEmbedding = (position: number) => { readonly cos: number; readonly sin: number };

/** Angles position / theta^(2i / head_dim), computed once for every position (Su et al., 2021). */
export function createRotaryEmbedding(memory: WasmMemory, config: LlamaConfig): RotaryEmbedding {
  const { head_dim, rope_theta, max_position_embeddings: positions } = config;
  const half = head_dim / 2;
  const angle = (i: number): number => Math.floor(i / half) / rope_theta ** ((2 * (i % half)) / head_dim);
  const cos = memory.put(Float32Array.from({ length: positions * half }, (_, i) => Math.cos(angle(i))));
  const sin = memory.put(Float32Array.from({ length: positions * half }, (_, i) => Math.sin(angle(i))));
  return (position) => ({ cos: cos + 4 * position * half, sin: sin + 4 * position * half });
}
