import type { Bundle } from '../bundle/bundle.ts';
import { freeNow } from '../free-now.ts';
import type { Engine } from '../kernels/engine.ts';
import { lazy } from '../lazy.ts';
import type { GlimpseConfig } from './config.ts';
import { createLabelEmbeds, withLabelEmbeds } from './label-embeds.ts';
import { loadPart } from './load-part.ts';
import { loadLlama } from './llama/load-llama.ts';
import { createMutex } from './mutex.ts';
import { createProjector } from './projector.ts';
import { EMBED_TOKENS, residentEmbedding } from './token-embedding.ts';
import type { ImageEncoder, PixelValues, VisionLanguageModel } from './types.ts';
import { createImageClassifier } from './vision/classifier.ts';
import { createEfficientNetLite } from './vision/efficientnet-lite.ts';
import { labelRows } from './vision/label-names.ts';
import type { Weights } from './weights.ts';

/**
 * The default architecture: EfficientNet-Lite, an MLP projector, a Llama decoder, which may be told what the
 * tower's classifier sees (label-embeds.ts).
 */
export function createGlimpse(engine: Engine, bundle: Bundle, config: GlimpseConfig): VisionLanguageModel {
  const classifier = lazy(() =>
    loadPart(engine, bundle, [CLASSIFIER], (weights) => {
      const { head_width } = config.vision_config;
      return createImageClassifier(engine, weights, CLASSIFIER, head_width, labelsOf(config));
    }),
  );
  const vision = lazy(() =>
    loadPart(engine, bundle, VISION, (weights) => loadVision(engine, weights, config)),
  );
  // Of its own where names are told: both halves read it, and each may be loaded without the other.
  const embed_tokens = lazy(() =>
    loadPart(engine, bundle, [EMBED_TOKENS], (weights) =>
      residentEmbedding(engine, weights, EMBED_TOKENS, config.text_config),
    ),
  );
  const encoder = lazy(async () => {
    const names = config.label_names_config;
    if (names === undefined) return (await vision.get()).encoder;
    const parts = [vision.get(), classifier.get(), embed_tokens.get()] as const;
    const [{ encoder, labelPositions }, seen, tokens] = await Promise.all(parts);
    return withLabelEmbeds(encoder, createLabelEmbeds(seen, tokens, labelPositions, names));
  });
  const decoder = lazy(async () => {
    const shared = config.label_names_config && (await embed_tokens.get());
    return loadLlama(engine, bundle, config.text_config, shared);
  });
  return {
    image_token_id: config.image_token_id,
    max_images: 1, // one stood in every prompt that it was trained on
    max_position_embeddings: config.text_config.max_position_embeddings,
    vocab_size: config.text_config.vocab_size,
    get loaded() {
      return { vision: encoder.ready, text: decoder.ready };
    },
    encoder: () => encoder.get(),
    decoder: () => decoder.get(),
    classifier: config.id2label && (() => classifier.get()),
  };
}

const CLASSIFIER = 'vision_tower.classifier';
// All of the tower but its classifier, which is asked alone too, of what is cached.
const VISION = ['vision_tower.stem', 'vision_tower.blocks', 'vision_tower.head', 'multi_modal_projector'];

/** What the vision half has of its own. */
async function loadVision(engine: Engine, weights: Weights, config: GlimpseConfig) {
  const encoder = await loadEncoder(engine, weights, config);
  const { label_names_config: names, projector_config } = config;
  const length = names ? labelRows(names) * projector_config.output_size : 0;
  const at = names && (await weights.floats('multi_modal_projector.label_position_embedding.weight', length));
  return { encoder, labelPositions: () => engine.memory.f32(at ?? 0, length) };
}

async function loadEncoder(engine: Engine, weights: Weights, config: GlimpseConfig): Promise<ImageEncoder> {
  const encoder = await createEfficientNetLite(engine, weights, config.vision_config);
  const project = await createProjector(engine, weights, config.projector_config);
  const { num_channels, image_size } = config.vision_config;
  const { num_image_tokens, output_size } = config.projector_config;
  const at = engine.memory.alloc(4 * num_channels * image_size * image_size);
  const pooled = engine.memory.alloc(4 * encoder.width);
  // The encoder yields between blocks and its maps are shared, so images take turns.
  const mutex = createMutex();
  return {
    encode(pixel_values, signal) {
      requireShape(pixel_values, config);
      return mutex(async () => {
        const pixels = pixel_values.read(0);
        engine.memory.f32(at, pixels.length).set(pixels);
        freeNow(pixels);
        const features = await encoder.forward(at, signal);
        engine.kernels.mean_pixels(features, pooled, encoder.tokens, encoder.width);
        const pooler_output = engine.memory.f32(pooled, encoder.width).slice();
        return {
          data: project(features),
          ...{ shape: [num_image_tokens, output_size], grid: [0, 0], pooler_output },
        };
      });
    },
  };
}

function labelsOf({ id2label = {} }: GlimpseConfig): readonly string[] {
  return Object.entries(id2label)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, label]) => label);
}

function requireShape({ shape }: PixelValues, { vision_config }: GlimpseConfig): void {
  const { num_channels, image_size } = vision_config;
  const expected = [1, num_channels, image_size, image_size];
  if (shape.join() !== expected.join()) {
    throw new TypeError(`pixel_values are [${shape.join()}], the encoder takes [${expected.join()}]`);
  }
}
