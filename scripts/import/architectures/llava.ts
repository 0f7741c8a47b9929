import { z } from 'zod';
import { layerNorm, linear } from '../modules.ts';
import type { Architecture } from './architecture.ts';
import { decoder, decoderSchema } from './decoder.ts';
import { clipVisionSchema, siglipVisionSchema, visionParts } from './transformer.ts';

const visionSchema = z.discriminatedUnion('model_type', [
  clipVisionSchema.extend({ model_type: z.literal('clip_vision_model') }),
  siglipVisionSchema.extend({ model_type: z.literal('siglip_vision_model') }),
]);
const schema = z.object({
  tie_word_embeddings: z.boolean().default(false),
  multimodal_projector_bias: z.boolean().default(true),
  vision_feature_layer: z.union([z.int(), z.array(z.int()).min(1)]).default(-2),
  vision_feature_select_strategy: z.enum(['default', 'full']).default('default'),
  vision_config: visionSchema,
  text_config: decoderSchema,
});

/** LLaVA (Liu et al., 2023) as transformers has it: CLIP or SigLIP, an MLP, Llama, Mistral or Qwen2. */
export function llava(json: unknown): Architecture {
  const config = schema.parse(json);
  const { vision_config, text_config, vision_feature_layer, multimodal_projector_bias: bias } = config;
  const kind = vision_config.model_type === 'clip_vision_model' ? 'clip' : 'siglip';
  const tied = config.tie_word_embeddings || text_config.tie_word_embeddings;
  const { hidden_size: width, image_size, patch_size } = vision_config;
  const features = width * (typeof vision_feature_layer === 'number' ? 1 : vision_feature_layer.length);
  const patches = Math.floor(image_size / patch_size) ** 2;
  const whole = config.vision_feature_select_strategy === 'full';
  return {
    parts: [
      ...visionParts(vision_config, kind),
      {
        name: 'projector',
        modules: [
          ...layerNorm('vision_tower.post_layernorm', width),
          linear('multi_modal_projector.linear_1', [text_config.hidden_size, features], { bias }),
          linear('multi_modal_projector.linear_2', [text_config.hidden_size, text_config.hidden_size], {
            bias,
          }),
        ],
      },
      { name: 'decoder', modules: decoder(text_config, tied) },
    ],
    names: [
      // Saved by transformers 4 up to 4.51, from 4.52 on, and by 5.
      [/^(model\.)?vision_tower\.(vision_model\.)?/, 'vision_tower.'],
      [/^(model\.)?multi_modal_projector\./, 'multi_modal_projector.'],
      [/^(language_model\.)?lm_head\./, 'language_model.lm_head.'],
      [/^(language_model\.model|model\.language_model)\./, 'language_model.model.'],
    ],
    useless: [
      /^(model\.)?vision_tower\.(vision_model\.)?head\./, // LLaVA reads the patches, not what SigLIP pools of them
      ...(tied ? [/^(language_model\.)?lm_head\.weight$/] : []),
    ],
    vision: vision_config,
    decoder: text_config,
    imageTokens: patches + (kind === 'clip' && whole ? 1 : kind === 'siglip' && !whole ? -1 : 0),
  };
}
