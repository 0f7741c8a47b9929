import type { Bundle } from '../../bundle/bundle.ts';
import { GlimpseError } from '../../errors.ts';
import type { Engine } from '../../kernels/engine.ts';
import { lazy } from '../../lazy.ts';
import type { LlamaConfig } from '../llama/config.ts';
import { fitContext } from '../llama/fit-context.ts';
import { loadLlama } from '../llama/load-llama.ts';
import type { PixelValues, VisionLanguageModel } from '../types.ts';
import type { Weights } from '../weights.ts';
import { createTransformerEncoder, type Connector } from './encode-images.ts';
import type { VisionTransformerConfig } from './transformer-config.ts';
import { visionStages } from './vision-stages.ts';
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
  readonly connector: {
    readonly tensors: readonly string[];
    readonly load: (weights: Weights) => Promise<Connector>;
  };
}

export function createTransformerModel(
  engine: Engine,
  bundle: Bundle,
  { image_token_id, vision_config, feature_layers, image_tokens, connector, ...model }: TransformerModel,
): VisionLanguageModel {
  const text_config = fitContext(engine.memory, model.text_config);
  const { max_position_embeddings, vocab_size } = text_config;
  const stages = visionStages(engine, bundle, vision_config);
  const encoder = createTransformerEncoder(
    createVisionTransformer(engine, stages, vision_config, feature_layers),
    stages.stage(connector.tensors, connector.load),
    vision_config,
    [image_tokens, text_config.hidden_size],
  );
  const decoder = lazy(() => loadLlama(engine, bundle, text_config));
  return {
    image_token_id,
    max_images: Math.floor(max_position_embeddings / image_tokens), // as many as the context holds
    max_position_embeddings,
    vocab_size,
    get loaded() {
      return { vision: stages.ready, text: decoder.ready };
    },
    encoder: () =>
      Promise.resolve({
        async encode(pixel_values, signal) {
          requireRoom(pixel_values, image_tokens, max_position_embeddings); // before the work, not behind it
          return encoder.encode(pixel_values, signal);
        },
      }),
    decoder: () => decoder.get(),
    classifier: undefined,
  };
}

function requireRoom({ shape: [batch] }: PixelValues, tokens: number, max_position_embeddings: number): void {
  if (batch * tokens < max_position_embeddings) return;
  throw new GlimpseError(
    'context_length_exceeded',
    `The image takes ${batch * tokens} tokens, in ${batch} tiles; the model's context is ${max_position_embeddings} here. Import the model with fewer tiles (do_image_splitting, size.longest_edge), or run it on Node.`,
    { param: 'image' },
  );
}
