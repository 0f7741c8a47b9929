import * as z from 'zod';
import {
  clipVisionConfigSchema,
  siglipVisionConfigSchema,
  visionActivation,
} from '../vision/transformer-config.ts';

const size = z.int().positive();

interface TextDefaults {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_attention_heads: number;
  readonly max_position_embeddings: number;
  readonly hidden_act: z.infer<typeof visionActivation>;
  readonly layer_norm_eps: number;
}

/** What transformers' classes assume where a published config.json is silent. */
const CLIP: TextDefaults = {
  ...{ vocab_size: 49_408, hidden_size: 512, intermediate_size: 2048, num_attention_heads: 8 },
  ...{ max_position_embeddings: 77, hidden_act: 'quick_gelu', layer_norm_eps: 1e-5 },
};
const SIGLIP: TextDefaults = {
  ...{ vocab_size: 32_000, hidden_size: 768, intermediate_size: 3072, num_attention_heads: 12 },
  ...{ max_position_embeddings: 64, hidden_act: 'gelu_pytorch_tanh', layer_norm_eps: 1e-6 },
};

function textFields(defaults: TextDefaults) {
  return {
    vocab_size: size.default(defaults.vocab_size),
    hidden_size: size.default(defaults.hidden_size),
    intermediate_size: size.default(defaults.intermediate_size),
    num_hidden_layers: size.default(12),
    num_attention_heads: size.default(defaults.num_attention_heads),
    max_position_embeddings: size.default(defaults.max_position_embeddings),
    hidden_act: visionActivation.default(defaults.hidden_act),
    layer_norm_eps: z.number().positive().default(defaults.layer_norm_eps),
  };
}

const hasEvenHeads = ({ hidden_size, num_attention_heads: heads }: TextDefaults): boolean =>
  hidden_size % (4 * heads) === 0;
const EVEN_HEADS = {
  path: ['num_attention_heads'],
  message: 'must divide hidden_size into heads whose width is a multiple of 4',
};

/** CLIPTextConfig. */
const clipTextConfigSchema = z
  .object({ ...textFields(CLIP), eos_token_id: z.int().nonnegative().default(49_407) })
  .refine(hasEvenHeads, EVEN_HEADS);

/** SiglipTextConfig. */
const siglipTextConfigSchema = z
  .object({ ...textFields(SIGLIP), projection_size: size.nullish() })
  .refine(hasEvenHeads, EVEN_HEADS)
  .transform((config) => ({ ...config, projection_size: config.projection_size ?? config.hidden_size }));

/** A text transformer's configuration, in transformers' names. */
export type TextTransformerConfig = Omit<z.infer<typeof clipTextConfigSchema>, 'eos_token_id'>;

/** In the configuration of a whole model the towers' need not say which they are. */
const clipVision = z.looseObject({}).transform(named('clip_vision_model')).pipe(clipVisionConfigSchema);
const siglipVision = z
  .looseObject({ vision_use_head: z.literal(true, 'must be true: it makes the image embedding').optional() })
  .transform(named('siglip_vision_model'))
  .pipe(siglipVisionConfigSchema);

/** CLIPConfig of transformers (Radford et al., 2021). */
export const clipConfigSchema = z
  .object({
    model_type: z.literal('clip'),
    projection_dim: size.default(512),
    text_config: clipTextConfigSchema.prefault({}),
    vision_config: clipVision.prefault({}),
    /** Of older files: they take the place of the others. */
    text_config_dict: clipTextConfigSchema.nullish(),
    vision_config_dict: clipVision.nullish(),
  })
  .transform(({ text_config_dict, vision_config_dict, ...config }) => ({
    ...config,
    text_config: text_config_dict ?? config.text_config,
    vision_config: vision_config_dict ?? config.vision_config,
  }));
export type ClipConfig = z.infer<typeof clipConfigSchema>;

/** SiglipConfig of transformers (Zhai et al., 2023). */
export const siglipConfigSchema = z
  .object({
    model_type: z.literal('siglip'),
    text_config: siglipTextConfigSchema.prefault({}),
    vision_config: siglipVision.prefault({}),
  })
  .refine(({ text_config, vision_config }) => text_config.projection_size === vision_config.hidden_size, {
    path: ['text_config', 'projection_size'],
    message: "must be vision_config's hidden_size: texts and images are of one space",
  });
export type SiglipConfig = z.infer<typeof siglipConfigSchema>;

function named<Name extends string>(model_type: Name) {
  return (config: Readonly<Record<string, unknown>>) => ({ ...config, model_type });
}
