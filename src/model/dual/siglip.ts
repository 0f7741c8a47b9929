import type { Bundle } from '../../bundle/bundle.ts';
import type { Engine } from '../../kernels/engine.ts';
import { bidirectionalAttention } from '../attention.ts';
import type { DualEncoder } from '../types.ts';
import type { SiglipConfig } from './config.ts';
import { createDualEncoder } from './dual-encoder.ts';
import { loadPoolingHead } from './pooling-head.ts';

/** SigLIP (Zhai et al., 2023): an image pooled by attention, a text by its last position, padding or not. */
export function createSiglip(engine: Engine, bundle: Bundle, config: SiglipConfig): DualEncoder {
  const { vision_config, text_config } = config;
  const projection_dim = text_config.projection_size;
  return createDualEncoder(engine, bundle, {
    ...{ vision_config, text_config, projection_dim },
    ...{ padding: 'max_length', activation: 'sigmoid', biased: true },
    text_tower: {
      attention: bidirectionalAttention,
      pooledRow: ({ length }) => length - 1,
      loadProjection: (weights) => weights.linear('text_model.head', text_config.hidden_size, projection_dim),
    },
    image_head: {
      tensors: ['vision_tower.post_layernorm', 'vision_tower.head'],
      load: (weights) => loadPoolingHead(engine, weights, vision_config),
    },
  });
}
