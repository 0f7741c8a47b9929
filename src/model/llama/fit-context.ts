import type { WasmMemory } from '../../kernels/memory.ts';
import type { LlamaConfig } from './config.ts';
import { bytesPerPosition } from './kv-cache.ts';

/** Activations of a pass and the kernels' workspace. */
const WORKING = 8 * 2 ** 20;
/** Bytes of a 4-bit weight, its part of the scale included. */
const WEIGHT = 18 / 32;

/**
 * The configuration with a context of which the keys and values fit the kernels' memory beside the weights. An
 * isolate has room for some hundred positions of SmolVLM-256M's 8,192: what is longer is then refused with both
 * numbers, before its image is looked at.
 */
export function fitContext({ limit }: Pick<WasmMemory, 'limit'>, config: LlamaConfig): LlamaConfig {
  const room = limit - WORKING - WEIGHT * weightsOf(config);
  const positions = Math.max(1, Math.floor(room / bytesPerPosition(config)));
  return { ...config, max_position_embeddings: Math.min(config.max_position_embeddings, positions) };
}

function weightsOf(config: LlamaConfig): number {
  const { hidden_size, head_dim, num_attention_heads, num_key_value_heads } = config;
  const attention = hidden_size * head_dim * 2 * (num_attention_heads + num_key_value_heads);
  const mlp = 3 * hidden_size * config.intermediate_size;
  const tables = config.tie_word_embeddings ? 1 : 2;
  return config.num_hidden_layers * (attention + mlp) + tables * config.vocab_size * hidden_size;
}
