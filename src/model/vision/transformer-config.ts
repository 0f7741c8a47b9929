import * as z from 'zod';

const size = z.int().positive();

/** The activations that the kernels have, in transformers' names. */
export const visionActivation = z.enum(['gelu', 'gelu_pytorch_tanh', 'quick_gelu']);

interface Defaults {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly image_size: number;
  readonly patch_size: number;
  readonly hidden_act: z.infer<typeof visionActivation>;
  readonly layer_norm_eps: number;
}

/** What transformers' classes assume where a published config.json is silent. */
const SIGLIP: Defaults = {
  ...{ hidden_size: 768, intermediate_size: 3072, num_hidden_layers: 12, num_attention_heads: 12 },
  ...{ image_size: 224, patch_size: 16, hidden_act: 'gelu_pytorch_tanh', layer_norm_eps: 1e-6 },
};
const CLIP: Defaults = { ...SIGLIP, patch_size: 32, hidden_act: 'quick_gelu', layer_norm_eps: 1e-5 };
const IDEFICS3: Defaults = { ...SIGLIP, hidden_size: 1152, num_attention_heads: 16, patch_size: 32 };

/** @param class_token CLIP's: a learned row before the patches, and a layer norm behind the embeddings */
function schemaOf<Name extends z.ZodType<string | undefined>>(
  model_type: Name,
  defaults: Defaults,
  class_token: boolean,
) {
  return z
    .object({
      model_type,
      hidden_size: size.default(defaults.hidden_size),
      intermediate_size: size.default(defaults.intermediate_size),
      num_hidden_layers: size.default(defaults.num_hidden_layers),
      num_attention_heads: size.default(defaults.num_attention_heads),
      num_channels: size.default(3),
      image_size: size.default(defaults.image_size),
      patch_size: size.default(defaults.patch_size),
      hidden_act: visionActivation.default(defaults.hidden_act),
      layer_norm_eps: z.number().positive().default(defaults.layer_norm_eps),
    })
    .refine(({ hidden_size, num_attention_heads: heads }) => hidden_size % (4 * heads) === 0, {
      path: ['num_attention_heads'],
      message: 'must divide hidden_size into heads whose width is a multiple of 4',
    })
    .transform((config) => ({ ...config, class_token }));
}

/** CLIPVisionConfig (Radford et al., 2021). */
export const clipVisionConfigSchema = schemaOf(z.literal('clip_vision_model'), CLIP, true);
/** SiglipVisionConfig (Zhai et al., 2023). */
export const siglipVisionConfigSchema = schemaOf(z.literal('siglip_vision_model'), SIGLIP, false);
/** Idefics3VisionConfig and SmolVLMVisionConfig: SigLIP's network, whatever name a published file gives it. */
export const idefics3VisionConfigSchema = schemaOf(z.string().optional(), IDEFICS3, false);

/** A vision transformer's configuration, in transformers' names. */
export type VisionTransformerConfig = Omit<z.infer<typeof siglipVisionConfigSchema>, 'model_type'>;

/** Patches along an edge: what does not fill one is left out. */
export function patchesPerSide({ image_size, patch_size }: VisionTransformerConfig): number {
  return Math.floor(image_size / patch_size);
}

/** Rows of the hidden states of one image. */
export function tokensPerImage(config: VisionTransformerConfig): number {
  return patchesPerSide(config) ** 2 + (config.class_token ? 1 : 0);
}
