import { llavaConfigSchema } from '../../../src/model/llava.ts';
import { tokensPerImage } from '../../../src/model/vision/transformer-config.ts';
import { layerNorm, linear } from '../modules.ts';
import type { Architecture } from './architecture.ts';
import { decoder } from './decoder.ts';
import { visionParts } from './transformer.ts';

/** LLaVA (Liu et al., 2023) as transformers has it: CLIP or SigLIP, an MLP, Llama, Mistral or Qwen2. */
export function llava(json: unknown): Architecture {
  const config = llavaConfigSchema.parse(json);
  const { vision_config, text_config, feature_layers, multimodal_projector_bias: bias } = config;
  const { hidden_size: width } = vision_config;
  const features = width * feature_layers.length;
  return {
    parts: [
      ...visionParts(vision_config),
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
      { name: 'decoder', modules: decoder(text_config) },
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
      ...(text_config.tie_word_embeddings ? [/^(language_model\.)?lm_head\.weight$/] : []),
    ],
    vision: vision_config,
    decoder: text_config,
    imageTokens:
      tokensPerImage(vision_config) - (config.vision_feature_select_strategy === 'default' ? 1 : 0),
  };
}
