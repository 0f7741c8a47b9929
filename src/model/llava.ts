import * as z from 'zod';
import type { Bundle } from '../bundle/bundle.ts';
import type { Engine } from '../kernels/engine.ts';
import { createRoom } from '../kernels/room.ts';
import { llamaConfigSchema, tieTextEmbeddings } from './llama/config.ts';
import type { VisionLanguageModel } from './types.ts';
import type { Connector } from './vision/encode-images.ts';
import {
  clipVisionConfigSchema,
  siglipVisionConfigSchema,
  tokensPerImage,
  visionActivation,
} from './vision/transformer-config.ts';
import { createTransformerModel } from './vision/transformer-model.ts';
import type { Weights } from './weights.ts';

/** LlavaConfig of transformers. */
export const llavaConfigSchema = z
  .object({
    model_type: z.literal('llava'),
    image_token_index: z.int().nonnegative().default(32_000),
    tie_word_embeddings: z.boolean().default(false),
    multimodal_projector_bias: z.boolean().default(true),
    projector_hidden_act: visionActivation.default('gelu'),
    /** default: without the first row, CLIP's class token. */
    vision_feature_select_strategy: z.enum(['default', 'full']).default('default'),
    /** Of the hidden states, of which the first are the embeddings: from the front, or negative from the end. */
    vision_feature_layer: z.union([z.int(), z.array(z.int()).min(1)]).default(-2),
    vision_config: z.discriminatedUnion('model_type', [clipVisionConfigSchema, siglipVisionConfigSchema]),
    text_config: llamaConfigSchema,
  })
  .transform((config, context) => {
    const states = config.vision_config.num_hidden_layers + 1;
    const feature_layers = [config.vision_feature_layer]
      .flat()
      .map((layer) => (layer < 0 ? layer + states : layer));
    if (feature_layers.some((layer) => layer < 0 || layer >= states)) {
      const message = `the vision tower has hidden states -${states} to ${states - 1}`;
      context.addIssue({ code: 'custom', path: ['vision_feature_layer'], message });
    }
    return { ...tieTextEmbeddings(config), feature_layers };
  });
export type LlavaConfig = z.infer<typeof llavaConfigSchema>;

/** LLaVA (Liu et al., 2023): CLIP or SigLIP, a two-layer MLP, a Llama, Mistral or Qwen2 decoder. */
export function createLlava(engine: Engine, bundle: Bundle, config: LlavaConfig): VisionLanguageModel {
  const { vision_config, text_config, image_token_index, feature_layers } = config;
  return createTransformerModel(engine, bundle, {
    image_token_id: image_token_index,
    vision_config,
    text_config,
    feature_layers,
    image_tokens: tokensPerImage(vision_config) - skippedRows(config),
    connector: {
      tensors: ['multi_modal_projector'],
      load: (weights) => loadProjector(engine, weights, config),
    },
  });
}

function skippedRows({ vision_feature_select_strategy }: LlavaConfig): number {
  return vision_feature_select_strategy === 'default' ? 1 : 0;
}

async function loadProjector(
  { memory, kernels, matmul }: Engine,
  weights: Weights,
  config: LlavaConfig,
): Promise<Connector> {
  const { vision_config, text_config, feature_layers } = config;
  const { projector_hidden_act: act, multimodal_projector_bias: bias } = config;
  const skipped = skippedRows(config);
  const tokens = tokensPerImage(vision_config) - skipped;
  const width = vision_config.hidden_size * feature_layers.length;
  const inner = text_config.hidden_size;
  const linear1 = await weights.linear('multi_modal_projector.linear_1', width, inner, bias);
  const linear2 = await weights.linear('multi_modal_projector.linear_2', inner, inner, bias);
  const outputs = tokens * inner;

  return (features) => {
    const room = createRoom(memory);
    try {
      const selected = features + 4 * skipped * width;
      const pooled = room.alloc(4 * width);
      const hidden = room.alloc(4 * outputs);
      const output = room.alloc(4 * outputs);
      kernels.mean_pixels(selected, pooled, tokens, width);
      matmul(linear1, selected, hidden, tokens, { act });
      matmul(linear2, hidden, output, tokens);
      return {
        image_embeds: memory.f32(output, outputs).slice(),
        pooler_output: memory.f32(pooled, width).slice(),
      };
    } finally {
      room.release();
    }
  };
}
