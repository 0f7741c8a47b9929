import * as z from 'zod';

const size = z.int().positive();

/** LlamaConfig in transformers' names, what of it the decoder runs. */
export const llamaConfigSchema = z.object({
  model_type: z.literal('llama'),
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size,
  head_dim: size,
  hidden_act: z.literal('silu'),
  rms_norm_eps: z.number().positive(),
  rope_theta: z.number().positive(),
  max_position_embeddings: size,
  attention_bias: z.literal(false),
  mlp_bias: z.literal(false),
  tie_word_embeddings: z.literal(true),
});
export type LlamaConfig = z.infer<typeof llamaConfigSchema>;
