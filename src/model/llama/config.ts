import * as z from 'zod';
import { ropeScalingSchema, type RopeScaling } from './rope-scaling.ts';

const size = z.int().positive();
const NO_SCALING: RopeScaling = { rope_type: 'default' };

/** Fields that the family has in common, with transformers' defaults where a published config.json is silent. */
const shared = z.object({
  vocab_size: size.default(32_000),
  hidden_size: size.default(4096),
  intermediate_size: size.default(11_008),
  num_hidden_layers: size.default(32),
  num_attention_heads: size.default(32),
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: z.literal('silu').default('silu'),
  rms_norm_eps: z.number().positive().default(1e-6),
  max_position_embeddings: size.default(2048),
  tie_word_embeddings: z.boolean().default(false),
  partial_rotary_factor: z.literal(1).nullish(),
  rope_theta: z.number().positive().nullish(),
  /** Published before transformers 5, beside rope_theta. */
  rope_scaling: ropeScalingSchema.nullish(),
  /** Since then: both in one. */
  rope_parameters: ropeScalingSchema.nullish(),
});

const llama = shared.extend({
  model_type: z.literal('llama'),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
});
const mistral = shared.extend({
  model_type: z.literal('mistral'),
  intermediate_size: size.default(14_336),
  num_key_value_heads: size.nullish().default(8),
  max_position_embeddings: size.default(131_072),
  sliding_window: size.nullable().default(4096),
});
const qwen2 = shared.extend({
  model_type: z.literal('qwen2'),
  vocab_size: size.default(151_936),
  intermediate_size: size.default(22_016),
  num_key_value_heads: size.nullish().default(32),
  max_position_embeddings: size.default(32_768),
  use_sliding_window: z.boolean().default(false),
  sliding_window: size.nullable().default(4096),
  max_window_layers: z.int().nonnegative().default(28),
  layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).nullish(),
});

/** LlamaConfig, MistralConfig or Qwen2Config of transformers, by model_type. */
export const llamaConfigSchema = z
  .discriminatedUnion('model_type', [llama, mistral, qwen2])
  .transform((config, context) => {
    const { hidden_size, num_attention_heads: heads } = config;
    const rope_scaling = config.rope_scaling ?? config.rope_parameters ?? NO_SCALING;
    const num_key_value_heads = config.num_key_value_heads ?? heads;
    const head_dim = config.head_dim ?? hidden_size / heads;
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (heads % num_key_value_heads !== 0) {
      refuse('num_key_value_heads', `must divide num_attention_heads (${heads})`);
    }
    if (head_dim % 8 !== 0) refuse('head_dim', `is ${head_dim}; the kernels take multiples of 8`);
    return {
      ...config,
      num_key_value_heads,
      head_dim,
      rope_theta: rope_scaling.rope_theta ?? config.rope_theta ?? 10_000,
      rope_scaling,
      // Of its own, since what memory leaves of max_position_embeddings must not turn the angles (fit-context.ts).
      original_max_position_embeddings: originalContextOf(rope_scaling) ?? config.max_position_embeddings,
      biases: biasesOf(config),
      sliding_windows: slidingWindowsOf(config),
    };
  });
export type LlamaConfig = z.infer<typeof llamaConfigSchema>;
/**
 * The configuration of a model around a decoder, which may say on its own level that the decoder's embeddings
 * make the logits.
 */
export function tieTextEmbeddings<
  Config extends { readonly tie_word_embeddings: boolean; readonly text_config: LlamaConfig },
>(config: Config): Config {
  const tie_word_embeddings = config.tie_word_embeddings || config.text_config.tie_word_embeddings;
  return { ...config, text_config: { ...config.text_config, tie_word_embeddings } };
}

type Published = z.infer<typeof llama> | z.infer<typeof mistral> | z.infer<typeof qwen2>;

function originalContextOf(scaling: RopeScaling): number | null | undefined {
  return 'original_max_position_embeddings' in scaling ? scaling.original_max_position_embeddings : null;
}

/** Qwen2 has biases on queries, keys and values whatever its configuration says. */
function biasesOf(config: Published): { readonly qkv: boolean; readonly o: boolean; readonly mlp: boolean } {
  const llama = config.model_type === 'llama';
  const attention = llama && config.attention_bias;
  return { qkv: attention || config.model_type === 'qwen2', o: attention, mlp: llama && config.mlp_bias };
}

/** By layer: to how many positions, its own and the last, it attends. Infinity: to all. */
function slidingWindowsOf(config: Published): readonly number[] {
  return Array.from({ length: config.num_hidden_layers }, (_, layer) => {
    if (config.model_type === 'llama') return Infinity;
    if (config.model_type === 'mistral') return config.sliding_window ?? Infinity;
    const sliding = config.layer_types
      ? config.layer_types[layer] === 'sliding_attention'
      : layer >= config.max_window_layers;
    return config.use_sliding_window && sliding ? (config.sliding_window ?? Infinity) : Infinity;
  });
}
