import { z } from 'zod';
import {
  clipVisionConfigSchema,
  siglipVisionConfigSchema,
} from '../../../src/model/vision/transformer-config.ts';
import { floats, layerNorm, linear } from '../modules.ts';
import type { Architecture } from './architecture.ts';
import { poolingHead, textEncoder, textEncoderSchema, visionParts } from './transformer.ts';

const clipSchema = z.object({
  projection_dim: z.int().positive().default(512),
  vision_config: clipVisionConfigSchema.prefault({ model_type: 'clip_vision_model' }),
  text_config: textEncoderSchema
    .extend({
      vocab_size: z.int().positive().default(49_408),
      hidden_size: z.int().positive().default(512),
      intermediate_size: z.int().positive().default(2048),
      num_hidden_layers: z.int().positive().default(12),
      num_attention_heads: z.int().positive().default(8),
      max_position_embeddings: z.int().positive().default(77),
    })
    .prefault({}),
});

/** CLIP (Radford et al., 2021): two towers, a projection each, a temperature. */
export function clip(json: unknown): Architecture {
  const { projection_dim, vision_config, text_config } = clipSchema.parse(json);
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

const siglipSchema = z.object({
  vision_config: siglipVisionConfigSchema.prefault({ model_type: 'siglip_vision_model' }),
  text_config: textEncoderSchema
    .extend({
      vocab_size: z.int().positive().default(32_000),
      hidden_size: z.int().positive().default(768),
      intermediate_size: z.int().positive().default(3072),
      num_hidden_layers: z.int().positive().default(12),
      num_attention_heads: z.int().positive().default(12),
      max_position_embeddings: z.int().positive().default(64),
      projection_size: z.int().positive().nullish(),
    })
    .prefault({}),
});

const headSchema = z.object({
  vision_config: z.object({ vision_use_head: z.boolean().default(true) }).prefault({}),
});

/** SigLIP (Zhai et al., 2023): attention pooling for the image, the last token's state for the text. */
export function siglip(json: unknown): Architecture {
  const { vision_config, text_config } = siglipSchema.parse(json);
  const { vision_use_head } = headSchema.parse(json).vision_config;
  const { hidden_size: width, projection_size } = text_config;
  return {
    parts: [
      ...visionParts(vision_config),
      {
        name: 'image pooling',
        modules: [
          ...layerNorm('vision_tower.post_layernorm', vision_config.hidden_size),
          ...(vision_use_head ? poolingHead(vision_config) : []),
        ],
      },
      {
        name: 'text encoder',
        modules: [
          ...textEncoder(text_config),
          linear('text_model.head', [projection_size ?? width, width]),
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
