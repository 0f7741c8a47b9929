import type { LlamaConfig } from './config.ts';
import { KEPT_BYTES } from './streamed-embedding.ts';

/** Bytes of a 4-bit weight, its part of the scale included. */
const BYTES = 18 / 32;

type Shape = Pick<
  LlamaConfig,
  | 'hidden_size'
  | 'head_dim'
  | 'intermediate_size'
  | 'num_attention_heads'
  | 'num_hidden_layers'
  | 'num_key_value_heads'
  | 'tie_word_embeddings'
  | 'vocab_size'
>;

/**
 * Whether token embeddings that are not the head's too are read by the row (streamed-embedding.ts), since the decoder
 * with them would fill more than half of the kernels' memory. They are a sixth of SmolVLM-256M's decoder, 16 MB.
 * @param limit bytes of that memory
 */
export function streamsEmbedding(config: Shape, limit: number): boolean {
  const table = tableBytes(config);
  return !config.tie_word_embeddings && table > KEPT_BYTES && layersBytes(config) + 2 * table > limit / 2;
}

/** Of a decoder's weights in 4 bits that stay in memory, biases and norms not counted. */
export function residentBytes(config: Shape, limit: number): number {
  const tables = config.tie_word_embeddings || streamsEmbedding(config, limit) ? 1 : 2;
  return layersBytes(config) + tables * tableBytes(config);
}

function layersBytes(config: Shape): number {
  const { hidden_size, head_dim, num_attention_heads, num_key_value_heads } = config;
  const attention = hidden_size * head_dim * 2 * (num_attention_heads + num_key_value_heads);
  const mlp = 3 * hidden_size * config.intermediate_size;
  return BYTES * config.num_hidden_layers * (attention + mlp);
}

function tableBytes({ vocab_size, hidden_size }: Shape): number {
  return BYTES * vocab_size * hidden_size;
}
