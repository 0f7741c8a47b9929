import { z } from 'zod';
import { layerNorm, linear } from '../modules.ts';
import type { Architecture } from './architecture.ts';
import { decoder, decoderSchema } from './decoder.ts';
import { idefics3VisionSchema, visionParts } from './transformer.ts';

const schema = z.object({
  scale_factor: z.int().positive().default(2),
  tie_word_embeddings: z.boolean().default(false),
  vision_config: idefics3VisionSchema,
  text_config: decoderSchema,
});

/** Idefics3 and SmolVLM (Laurençon et al., 2024; Marafioti et al., 2025): SigLIP, pixel shuffle, Llama. */
export function idefics3(json: unknown): Architecture {
  const { scale_factor, tie_word_embeddings, vision_config, text_config } = schema.parse(json);
  const tied = tie_word_embeddings || text_config.tie_word_embeddings;
  const { hidden_size: width } = vision_config;
  return {
    parts: [
      ...visionParts(vision_config, 'siglip'),
      {
        name: 'connector',
        modules: [
          ...layerNorm('vision_tower.post_layernorm', width),
          linear('connector.modality_projection.proj', [text_config.hidden_size, width * scale_factor ** 2], {
            bias: false,
          }),
        ],
      },
      { name: 'decoder', modules: decoder(text_config, tied) },
    ],
    names: [
      [/^model\.vision_model\./, 'vision_tower.'],
      [/^model\.connector\./, 'connector.'],
      [/^model\.text_model\./, 'language_model.model.'],
      [/^lm_head\./, 'language_model.lm_head.'],
    ],
    useless: tied ? [/^lm_head\.weight$/] : [],
    vision: vision_config,
    decoder: text_config,
    imageTokens: (vision_config.image_size / vision_config.patch_size / scale_factor) ** 2,
  };
}
