import type { Bundle } from '../../bundle/bundle.ts';
import type { Engine } from '../../kernels/engine.ts';
import { lazy } from '../lazy.ts';
import type { LlamaConfig } from '../llama/config.ts';
import { createLlama } from '../llama/llama.ts';
import { residentStages, streamedStages } from '../stage.ts';
import type { VisionLanguageModel } from '../types.ts';
import { collectTensors, createWeights, type Weights } from '../weights.ts';
import { createTransformerEncoder, type Connector } from './encode-images.ts';
import type { VisionTransformerConfig } from './transformer-config.ts';
import { createVisionTransformer } from './vision-transformer.ts';

/** A vision transformer before a decoder, and what an architecture of that kind has of its own. */
export interface TransformerModel {
  readonly image_token_id: number;
  readonly vision_config: VisionTransformerConfig;
  readonly text_config: LlamaConfig;
  /** See `createVisionTransformer`. */
  readonly feature_layers: readonly number[];
  /** Rows of the embeddings of one of a batch. */
  readonly image_tokens: number;
  readonly connector: { readonly tensors: readonly string[]; readonly load: (weights: Weights) => Connector };
}

/**
 * A vision tower up to this size stays in memory as the decoder does. A larger one (SmolVLM-256M's: 48 MB) would
 * not fit an isolate beside its decoder, and answers about an image that is known do not need it: its layers are
 * fetched for each image, used one by one and let go.
 */
const RESIDENT_BYTES = 16 * 2 ** 20;

export function createTransformerModel(
  engine: Engine,
  bundle: Bundle,
  { image_token_id, vision_config, text_config, feature_layers, image_tokens, connector }: TransformerModel,
): VisionLanguageModel {
  const resident = weightBytes(vision_config) <= RESIDENT_BYTES;
  const stages = (resident ? residentStages : streamedStages)(engine, bundle);
  const encoder = createTransformerEncoder(
    createVisionTransformer(engine, stages, vision_config, feature_layers),
    stages.stage(connector.tensors, connector.load),
    vision_config,
    [image_tokens, text_config.hidden_size],
  );
  const decoder = lazy(async () => {
    const weights = createWeights(engine, await collectTensors(bundle.tensors(['language_model'])));
    return createLlama(engine, weights, text_config);
  });
  const { max_position_embeddings, vocab_size } = text_config;
  return {
    image_token_id,
    max_images: Math.floor(max_position_embeddings / image_tokens), // as many as the context holds
    max_position_embeddings,
    vocab_size,
    get loaded() {
      return { vision: stages.ready, text: decoder.ready };
    },
    encoder: () => Promise.resolve(encoder),
    decoder: () => decoder.get(),
    classifier: undefined,
  };
}

/** Of the tower's 4-bit weights, scales included; norms, biases and positions are small beside them. */
function weightBytes(config: VisionTransformerConfig): number {
  const { hidden_size, intermediate_size, num_hidden_layers } = config;
  return (num_hidden_layers * (4 * hidden_size ** 2 + 2 * hidden_size * intermediate_size) * 18) / 32;
}
