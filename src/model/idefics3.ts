import * as z from 'zod';
import type { Bundle } from '../bundle/bundle.ts';
import type { Engine } from '../kernels/engine.ts';
import { createRoom } from '../kernels/room.ts';
import { llamaConfigSchema } from './llama/config.ts';
import type { VisionLanguageModel } from './types.ts';
import { loadLayerNorm } from './vision/encoder-layer.ts';
import type { Connector } from './vision/encode-images.ts';
import { idefics3VisionConfigSchema, patchesPerSide } from './vision/transformer-config.ts';
import { createTransformerModel } from './vision/transformer-model.ts';
import type { Weights } from './weights.ts';

/** Idefics3Config and SmolVLMConfig of transformers. */
export const idefics3ConfigSchema = z
  .object({
    model_type: z.enum(['idefics3', 'smolvlm']),
    image_token_id: z.int().nonnegative().default(128_257),
    scale_factor: z.int().positive().default(2),
    /** Here and not in text_config, as transformers has it. */
    tie_word_embeddings: z.boolean().default(false),
    vision_config: idefics3VisionConfigSchema,
    text_config: llamaConfigSchema,
  })
  .refine(({ vision_config, scale_factor }) => patchesPerSide(vision_config) % scale_factor === 0, {
    path: ['scale_factor'],
    message: 'must divide the patches along an edge of an image (image_size / patch_size)',
  })
  .transform(({ tie_word_embeddings, ...config }) => ({
    ...config,
    text_config: { ...config.text_config, tie_word_embeddings },
  }));
export type Idefics3Config = z.infer<typeof idefics3ConfigSchema>;

/** Idefics3 (Laurençon et al., 2024) and SmolVLM (Marafioti et al., 2025): SigLIP, pixel shuffle, Llama. */
export function createIdefics3(engine: Engine, bundle: Bundle, config: Idefics3Config): VisionLanguageModel {
  const { vision_config, text_config, scale_factor, image_token_id } = config;
  return createTransformerModel(engine, bundle, {
    image_token_id,
    vision_config,
    text_config,
    feature_layers: [vision_config.num_hidden_layers],
    image_tokens: (patchesPerSide(vision_config) / scale_factor) ** 2,
    connector: {
      tensors: ['vision_tower.post_layernorm', 'connector'],
      load: (weights) => loadConnector(engine, weights, config),
    },
  });
}

/** The transformer's last norm, then squares of scale_factor by scale_factor patches as one row each, projected. */
async function loadConnector(
  { memory, kernels, matmul }: Engine,
  weights: Weights,
  { vision_config, text_config, scale_factor: scale }: Idefics3Config,
): Promise<Connector> {
  const { hidden_size: width, layer_norm_eps } = vision_config;
  const norm = await loadLayerNorm(weights, 'vision_tower.post_layernorm', width);
  const proj = await weights.linear(
    'connector.modality_projection.proj',
    scale ** 2 * width,
    text_config.hidden_size,
    false,
  );
  const side = patchesPerSide(vision_config);
  const squares = side / scale;
  const outputs = squares ** 2 * text_config.hidden_size;

  /** Transformers' pixel_shuffle: a square's rows of patches one behind the other. */
  function shuffle(features: number, rows: number): void {
    const run = 4 * scale * width; // bytes of a square's row of patches
    for (let square = 0; square < squares ** 2; square++) {
      const corner = Math.floor(square / squares) * scale * side + (square % squares) * scale;
      for (let y = 0; y < scale; y++) {
        const from = memory.u8(features + 4 * (corner + y * side) * width, run);
        memory.u8(rows + (square * scale + y) * run, run).set(from);
      }
    }
  }

  return (features) => {
    const room = createRoom(memory);
    try {
      const pooled = room.alloc(4 * width);
      const rows = room.alloc(4 * side ** 2 * width);
      const output = room.alloc(4 * outputs);
      kernels.layer_norm(features, norm.weight, norm.bias, features, side ** 2, width, layer_norm_eps);
      kernels.mean_pixels(features, pooled, side ** 2, width);
      shuffle(features, rows);
      matmul(proj, rows, output, squares ** 2);
      return {
        image_embeds: memory.f32(output, outputs).slice(),
        pooler_output: memory.f32(pooled, width).slice(),
      };
    } finally {
      room.release();
    }
  };
}
