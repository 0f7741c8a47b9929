import type { TextTransformerConfig } from '../../../src/model/dual/config.ts';
import {
  tokensPerImage,
  type VisionTransformerConfig,
} from '../../../src/model/vision/transformer-config.ts';
import { embedding, floats, layerNorm, linear, type Module, type Part } from '../modules.ts';

/** The embeddings and each layer of CLIP's and SigLIP's towers, a part each: they can be fetched one by one. */
export function visionParts(config: VisionTransformerConfig): readonly Part[] {
  const { hidden_size: width, num_channels, patch_size, class_token } = config;
  const at = 'vision_tower.embeddings';
  const embeddings = [
    // The pixels' one product: a hundredth of the bytes, and its error goes through all the layers.
    linear(`${at}.patch_embedding`, [width, num_channels, patch_size, patch_size], {
      bias: !class_token,
      bits: 8,
    }),
    floats(`${at}.position_embedding.weight`, tokensPerImage(config), width),
    ...(class_token
      ? [
          floats(`${at}.class_embedding.weight`, width),
          ...layerNorm('vision_tower.pre_layrnorm', width), // transformers' spelling
        ]
      : []),
  ];
  const layers = Array.from({ length: config.num_hidden_layers }, (_, i) => ({
    name: `vision layer ${i}`,
    modules: encoderLayer(`vision_tower.encoder.layers.${i}`, config),
  }));
  return [{ name: 'vision embeddings', modules: embeddings }, ...layers];
}

/** SigLIP's attention pooling: one probe attends to all patches. */
export function poolingHead({
  hidden_size: width,
  intermediate_size,
}: VisionTransformerConfig): readonly Module[] {
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

export function textEncoder(config: TextTransformerConfig): readonly Module[] {
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
