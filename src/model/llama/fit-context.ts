import type { WasmMemory } from '../../kernels/memory.ts';
import type { LlamaConfig } from './config.ts';
import { bytesPerPosition } from './kv-cache.ts';
import { residentBytes } from './weight-bytes.ts';

/** Activations of a pass and the kernels' workspace. */
const WORKING = 8 * 2 ** 20;

/**
 * The configuration with a context of which the keys and values fit the kernels' memory beside the weights. An
 * isolate has room for some hundred positions of SmolVLM-256M's 8,192: what is longer is then refused with both
 * numbers, before its image is looked at.
 */
export function fitContext({ limit }: Pick<WasmMemory, 'limit'>, config: LlamaConfig): LlamaConfig {
  const room = limit - WORKING - residentBytes(config, limit);
  const positions = Math.max(1, Math.floor(room / bytesPerPosition(config)));
  return { ...config, max_position_embeddings: Math.min(config.max_position_embeddings, positions) };
}
