import { ISOLATE_KERNELS_MEMORY } from '../../../src/kernels/isolate.ts';
import type { LlamaConfig } from '../../../src/model/llama/config.ts';
import { rowsPerPiece } from '../../../src/model/llama/streamed-embedding.ts';
import { streamsEmbedding } from '../../../src/model/llama/weight-bytes.ts';
import { embedding, floats, linear, type Module } from '../modules.ts';

/** Decoders of Llama's family: Mistral's and Qwen2's too. */
export function decoder(config: LlamaConfig): readonly Module[] {
  const { hidden_size: width, vocab_size, num_hidden_layers, tie_word_embeddings: tied } = config;
  const at = 'language_model';
  const streamed = streamsEmbedding(config, ISOLATE_KERNELS_MEMORY);
  return [
    embedding(`${at}.model.embed_tokens`, vocab_size, width, streamed ? rowsPerPiece(config) : undefined),
    ...Array.from({ length: num_hidden_layers }, (_, i) => layer(`${at}.model.layers.${i}`, config)).flat(),
    floats(`${at}.model.norm.weight`, width),
    ...(tied ? [] : [linear(`${at}.lm_head`, [vocab_size, width], { bias: false, per_token: true })]),
  ];
}

function layer(at: string, config: LlamaConfig): readonly Module[] {
  const {
    hidden_size: width,
    intermediate_size,
    head_dim,
    num_attention_heads,
    num_key_value_heads,
  } = config;
  const { qkv, o, mlp } = config.biases;
  const [queries, keys] = [num_attention_heads * head_dim, num_key_value_heads * head_dim];
  return [
    floats(`${at}.input_layernorm.weight`, width),
    linear(`${at}.self_attn.q_proj`, [queries, width], { bias: qkv }),
    linear(`${at}.self_attn.k_proj`, [keys, width], { bias: qkv }),
    linear(`${at}.self_attn.v_proj`, [keys, width], { bias: qkv }),
    linear(`${at}.self_attn.o_proj`, [width, queries], { bias: o }),
    floats(`${at}.post_attention_layernorm.weight`, width),
    linear(`${at}.mlp.gate_proj`, [intermediate_size, width], { bias: mlp }),
    linear(`${at}.mlp.up_proj`, [intermediate_size, width], { bias: mlp }),
    linear(`${at}.mlp.down_proj`, [width, intermediate_size], { bias: mlp }),
  ];
}
