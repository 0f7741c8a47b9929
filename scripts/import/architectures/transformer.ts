import { z } from 'zod';
import { embedding, floats, layerNorm, linear, type Module, type Part } from '../modules.ts';

const size = z.int().positive();

/**
 * The transformer encoders of CLIP and SigLIP (Radford et al., 2021; Zhai et al., 2023): what of their
 * configurations shapes tensors. A published config.json leaves out what is transformers' default.
 */
const encoder = {
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
};

export const clipVisionSchema = z.object({
  hidden_size: encoder.hidden_size.default(768),
  intermediate_size: encoder.intermediate_size.default(3072),
  num_hidden_layers: encoder.num_hidden_layers.default(12),
  num_attention_heads: encoder.num_attention_heads.default(12),
  num_channels: size.default(3),
  image_size: size.default(224),
  patch_size: size.default(32),
});
export type VisionConfig = z.infer<typeof clipVisionSchema>;

export const siglipVisionSchema = clipVisionSchema.extend({
  patch_size: size.default(16),
  vision_use_head: z.boolean().default(true),
});

/** SigLIP's tower in Idefics3 and SmolVLM. */
export const idefics3VisionSchema = clipVisionSchema.extend({
  hidden_size: encoder.hidden_size.default(1152),
  num_attention_heads: encoder.num_attention_heads.default(16),
});

export const textEncoderSchema = z.object({
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  max_position_embeddings: size,
});

/** The embeddings and each layer, a part each: they can be fetched one by one. */
export function visionParts(config: VisionConfig, kind: 'clip' | 'siglip'): readonly Part[] {
  const { hidden_size: width, num_channels, patch_size, image_size } = config;
  const patches = Math.floor(image_size / patch_size) ** 2;
  const at = 'vision_tower.embeddings';
  const patch = (bias: boolean): Module =>
    // The pixels' one product: a hundredth of the bytes, and its error goes through all the layers.
    linear(`${at}.patch_embedding`, [width, num_channels, patch_size, patch_size], { bias, bits: 8 });
  const positions = (count: number): Module => floats(`${at}.position_embedding.weight`, count, width);
  const embeddings =
    kind === 'clip'
      ? [
          floats(`${at}.class_embedding.weight`, width),
          patch(false),
          positions(patches + 1),
          ...layerNorm('vision_tower.pre_layrnorm', width), // transformers' spelling
        ]
      : [patch(true), positions(patches)];
  const layers = Array.from({ length: config.num_hidden_layers }, (_, i) => ({
    name: `vision layer ${i}`,
    modules: encoderLayer(`vision_tower.encoder.layers.${i}`, config),
  }));
  return [{ name: 'vision embeddings', modules: embeddings }, ...layers];
}

/** SigLIP's attention pooling: one probe attends to all patches. */
export function poolingHead({ hidden_size: width, intermediate_size }: VisionConfig): readonly Module[] {
  const at = 'vision_tower.head';
  const stacked = (first: number) => ({ name: `${at}.attention.in_proj`, rows: 3 * width, first });
  return [
    floats(`${at}.probe.weight`, 1, 1, width),
    ...['q', 'k', 'v'].map((part, i) =>
      linear(`${at}.attention.${part}_proj`, [width, width], { stacked: stacked(i * width) }),
    ),
    linear(`${at}.attention.out_proj`, [width, width]),
    ...layerNorm(`${at}.layernorm`, width),
    linear(`${at}.mlp.fc1`, [intermediate_size, width]),
    linear(`${at}.mlp.fc2`, [width, intermediate_size]),
  ];
}

export function textEncoder(config: z.infer<typeof textEncoderSchema>): readonly Module[] {
  const { hidden_size: width, vocab_size, max_position_embeddings, num_hidden_layers } = config;
  return [
    embedding('text_model.embeddings.token_embedding', vocab_size, width),
    floats('text_model.embeddings.position_embedding.weight', max_position_embeddings, width),
    ...Array.from({ length: num_hidden_layers }, (_, i) =>
      encoderLayer(`text_model.encoder.layers.${i}`, config),
    ).flat(),
    ...layerNorm('text_model.final_layer_norm', width),
  ];
}

function encoderLayer(
  at: string,
  {
    hidden_size: width,
    intermediate_size,
  }: { readonly hidden_size: number; readonly intermediate_size: number },
): readonly Module[] {
  return [
    ...layerNorm(`${at}.layer_norm1`, width),
    ...['q', 'k', 'v', 'out'].map((part) => linear(`${at}.self_attn.${part}_proj`, [width, width])),
    ...layerNorm(`${at}.layer_norm2`, width),
    linear(`${at}.mlp.fc1`, [intermediate_size, width]),
    linear(`${at}.mlp.fc2`, [width, intermediate_size]),
  ];
}
