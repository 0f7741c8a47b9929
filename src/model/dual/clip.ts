import type { Bundle } from '../../bundle/bundle.ts';
import { GlimpseError } from '../../errors.ts';
import type { Engine } from '../../kernels/engine.ts';
import { causalAttention } from '../attention.ts';
import type { DualEncoder } from '../types.ts';
import { loadLayerNorm } from '../vision/encoder-layer.ts';
import type { Weights } from '../weights.ts';
import type { ClipConfig } from './config.ts';
import { createDualEncoder, type ImageHead } from './dual-encoder.ts';

/** CLIP (Radford et al., 2021): the class token of an image and the last token of a text, projected. */
export function createClip(engine: Engine, bundle: Bundle, config: ClipConfig): DualEncoder {
  const { vision_config, text_config, projection_dim } = config;
  return createDualEncoder(engine, bundle, {
    ...{ vision_config, text_config, projection_dim },
    // No row sees those behind it, so that what would fill up a text makes no difference.
    ...{ padding: 'do_not_pad', activation: 'softmax', biased: false },
    text_tower: {
      attention: causalAttention,
      pooledRow: (input_ids) => endOfText(input_ids, text_config.eos_token_id),
      loadProjection: (weights) =>
        weights.linear('text_projection', text_config.hidden_size, projection_dim, false),
    },
    image_head: {
      tensors: ['vision_tower.post_layernorm', 'visual_projection'],
      load: (weights) => loadImageHead(engine, weights, config),
    },
  });
}

/** In files from before transformers 4.31, of whatever vocabulary: the end is then the token of the highest id. */
const LEGACY_EOS = 2;

function endOfText(input_ids: readonly number[], eos_token_id: number): number {
  const end = eos_token_id === LEGACY_EOS ? Math.max(...input_ids) : eos_token_id;
  const row = input_ids.indexOf(end);
  if (row >= 0) return row;
  throw new GlimpseError(
    'bundle_invalid',
    `The tokenizer ends no text with token ${eos_token_id}, text_config.eos_token_id: they are not of one model.`,
  );
}

async function loadImageHead(
  { kernels, matmul }: Engine,
  weights: Weights,
  { vision_config, projection_dim }: ClipConfig,
): Promise<ImageHead> {
  const { hidden_size: width, layer_norm_eps: eps } = vision_config;
  const { weight, bias } = await loadLayerNorm(weights, 'vision_tower.post_layernorm', width);
  const projection = await weights.linear('visual_projection', width, projection_dim, false);
  return (class_token, room) => {
    const embeds = room.alloc(4 * projection_dim);
    kernels.layer_norm(class_token, weight, bias, class_token, 1, width, eps);
    matmul(projection, class_token, embeds, 1);
    return embeds;
  };
}
