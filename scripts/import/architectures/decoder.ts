import { z } from 'zod';
import { embedding, floats, linear, type Module } from '../modules.ts';

const size = z.int().positive();
const shape = z.object({
  vocab_size: size.default(32_000),
  hidden_size: size.default(4096),
  intermediate_size: size.default(11_008),
  num_hidden_layers: size.default(32),
  num_attention_heads: size.default(32),
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  max_position_embeddings: size.default(2048),
  tie_word_embeddings: z.boolean().default(false),
});
const llama = shape.extend({
  model_type: z.literal('llama'),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
});
const mistral = shape.extend({
  model_type: z.literal('mistral'),
  intermediate_size: size.default(14_336),
  num_key_value_heads: size.nullish().default(8),
  max_position_embeddings: size.default(131_072),
});
const qwen2 = shape.extend({
  model_type: z.literal('qwen2'),
  vocab_size: size.default(151_936),
  intermediate_size: size.default(22_016),
  num_key_value_heads: size.nullish().default(32),
  max_position_embeddings: size.default(32_768),
});

/** The decoders' configurations, what of them shapes tensors; defaults are transformers'. */
export const decoderSchema = z
  .discriminatedUnion('model_type', [llama, mistral, qwen2])
  .transform((config) => {
    const { hidden_size, num_attention_heads: heads, num_key_value_heads, head_dim } = config;
    return {
      ...config,
      num_key_value_heads: num_key_value_heads ?? heads,
      head_dim: head_dim ?? hidden_size / heads,
      /** Qwen2 has them always, and on all but the output. */
      qkv_bias: config.model_type === 'qwen2' || (config.model_type === 'llama' && config.attention_bias),
      o_bias: config.model_type === 'llama' && config.attention_bias,
      mlp_bias: config.model_type === 'llama' && config.mlp_bias,
    };
  });
export type DecoderConfig = z.infer<typeof decoderSchema>;

/** @param tied the logits are made by the embeddings */
export function decoder(config: DecoderConfig, tied: boolean): readonly Module[] {
  const { hidden_size: width, vocab_size, num_hidden_layers } = config;
  const at = 'language_model';
  return [
    embedding(`${at}.model.embed_tokens`, vocab_size, width),
    ...Array.from({ length: num_hidden_layers }, (_, i) => layer(`${at}.model.layers.${i}`, config)).flat(),
    floats(`${at}.model.norm.weight`, width),
    ...(tied ? [] : [linear(`${at}.lm_head`, [vocab_size, width], { bias: false })]),
  ];
}

function layer(at: string, config: DecoderConfig): readonly Module[] {
  const {
    hidden_size: width,
    intermediate_size,
    head_dim,
    num_attention_heads,
    num_key_value_heads,
  } = config;
  const { qkv_bias, o_bias, mlp_bias } = config;
  const [queries, keys] = [num_attention_heads * head_dim, num_key_value_heads * head_dim];
  return [
    floats(`${at}.input_layernorm.weight`, width),
    linear(`${at}.self_attn.q_proj`, [queries, width], { bias: qkv_bias }),
    linear(`${at}.self_attn.k_proj`, [keys, width], { bias: qkv_bias }),
    linear(`${at}.self_attn.v_proj`, [keys, width], { bias: qkv_bias }),
    linear(`${at}.self_attn.o_proj`, [width, queries], { bias: o_bias }),
    floats(`${at}.post_attention_layernorm.weight`, width),
    linear(`${at}.mlp.gate_proj`, [intermediate_size, width], { bias: mlp_bias }),
    linear(`${at}.mlp.up_proj`, [intermediate_size, width], { bias: mlp_bias }),
    linear(`${at}.mlp.down_proj`, [width, intermediate_size], { bias: mlp_bias }),
  ];
}
