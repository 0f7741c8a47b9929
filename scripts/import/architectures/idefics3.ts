import { idefics3ConfigSchema } from '../../../src/model/idefics3.ts';
import { patchesPerSide } from '../../../src/model/vision/transformer-config.ts';
import { layerNorm, linear } from '../modules.ts';
import type { Architecture } from './architecture.ts';
import { decoder } from './decoder.ts';
import { visionParts } from './transformer.ts';

/** Idefics3 and SmolVLM (Laurençon et al., 2024; Marafioti et al., 2025): SigLIP, pixel shuffle, Llama. */
export function idefics3(json: unknown): Architecture {
  const { scale_factor, vision_config, text_config } = idefics3ConfigSchema.parse(json);
  const { hidden_size: width } = vision_config;
  return {
    parts: [
      ...visionParts(vision_config),
      {
        name: 'connector',
        modules: [
          ...layerNorm('vision_tower.post_layernorm', width),
          linear('connector.modality_projection.proj', [text_config.hidden_size, width * scale_factor ** 2], {
            bias: false,
          }),
        ],
      },
      { name: 'decoder', modules: decoder(text_config) },
    ],
    names: [
      [/^model\.vision_model\./, 'vision_tower.'],
      [/^model\.connector\./, 'connector.'],
      [/^model\.text_model\./, 'language_model.model.'],
      [/^lm_head\./, 'language_model.lm_head.'],
    ],
    useless: text_config.tie_word_embeddings ? [/^lm_head\.weight$/] : [],
    vision: vision_config,
    decoder: text_config,
    imageTokens: (patchesPerSide(vision_config) / scale_factor) ** 2,
  };
}
