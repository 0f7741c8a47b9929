import { clipConfigSchema, siglipConfigSchema } from '../../../src/model/dual/config.ts';
import { floats, layerNorm, linear } from '../modules.ts';
import type { Architecture } from './architecture.ts';
import { poolingHead, textEncoder, visionParts } from './transformer.ts';

/** CLIP (Radford et al., 2021): two towers, a projection each, a temperature. */
export function clip(json: unknown): Architecture {
  const { projection_dim, vision_config, text_config } = clipConfigSchema.parse(json);
  return {
    parts: [
      ...visionParts(vision_config),
      {
        name: 'image projection',
        modules: [
          ...layerNorm('vision_tower.post_layernorm', vision_config.hidden_size),
          linear('visual_projection', [projection_dim, vision_config.hidden_size], { bias: false }),
        ],
      },
      {
        name: 'text encoder',
        modules: [
          ...textEncoder(text_config),
          linear('text_projection', [projection_dim, text_config.hidden_size], { bias: false }),
          floats('logit_scale.weight'),
        ],
      },
    ],
    names: DUAL_NAMES,
    useless: [],
    vision: vision_config,
    textEncoder: text_config,
  };
}

/** SigLIP (Zhai et al., 2023): attention pooling for the image, the last token's state for the text. */
export function siglip(json: unknown): Architecture {
  const { vision_config, text_config } = siglipConfigSchema.parse(json);
  const { hidden_size: width, projection_size } = text_config;
  return {
    parts: [
      ...visionParts(vision_config),
      {
        name: 'image pooling',
        modules: [
          ...layerNorm('vision_tower.post_layernorm', vision_config.hidden_size),
          ...poolingHead(vision_config),
        ],
      },
      {
        name: 'text encoder',
        modules: [
          ...textEncoder(text_config),
          linear('text_model.head', [projection_size, width]),
          floats('logit_scale.weight', 1),
          floats('logit_bias.weight', 1),
        ],
      },
    ],
    names: DUAL_NAMES,
    useless: [],
    vision: vision_config,
    textEncoder: text_config,
  };
}

const DUAL_NAMES: Architecture['names'] = [
  [/^vision_model\./, 'vision_tower.'],
  [/^text_model\./, 'text_model.'],
  [/^(visual_projection|text_projection|logit_scale|logit_bias)(?=\.|$)/, '$1'],
];
