import { yieldToEventLoop } from '../../event-loop.ts';
import { freeNow } from '../../free-now.ts';
import type { Engine } from '../../kernels/engine.ts';
import { createRoom, inRoom, type Room } from '../../kernels/room.ts';
import { bidirectionalAttention } from '../attention.ts';
import type { Stages } from '../stage.ts';
import type { PixelValues } from '../types.ts';
import { createEmbedImage, loadEmbeddings } from './embeddings.ts';
import { createRunLayer, loadEncoderLayer } from './encoder-layer.ts';
import { tokensPerImage, type VisionTransformerConfig } from './transformer-config.ts';

/** CLIP's and SigLIP's vision transformer (Dosovitskiy et al., 2021), layer by layer. */
export interface VisionTransformer {
  /** Rows of one image's features: the class token, where there is one, and the patches. */
  readonly tokens: number;
  /** Of a feature row: the hidden states of the chosen layers one behind the other. */
  readonly width: number;
  /**
   * Features of the images in order, group by group: addresses of [tokens, width], valid until the next
   * group is asked for.
   */
  features(pixel_values: PixelValues, signal?: AbortSignal): AsyncGenerator<readonly number[], void>;
}

/**
 * Hidden states that wait for a layer: ten tiles of SmolVLM-256M. Weights that are streamed are fetched once a
 * group, so its seventeen tiles go in two groups; in one they would take 53 MB of an isolate.
 */
const GROUP_BYTES = 32 * 2 ** 20;

/**
 * @param feature_layers whose hidden states are the features: 0 stands for the embeddings, n for the nth layer.
 * Layers behind the last of them are neither run nor loaded.
 * @param group_bytes most bytes of hidden states at once, one image's at least
 */
export function createVisionTransformer(
  engine: Engine,
  stages: Stages,
  config: VisionTransformerConfig,
  feature_layers: readonly number[],
  group_bytes = GROUP_BYTES,
): VisionTransformer {
  const { memory } = engine;
  const { hidden_size } = config;
  const tokens = tokensPerImage(config);
  const width = hidden_size * feature_layers.length;
  const embeddings = stages.stage(['vision_tower.embeddings', 'vision_tower.pre_layrnorm'], (weights) =>
    loadEmbeddings(weights, config),
  );
  const layers = Array.from({ length: Math.max(...feature_layers) }, (_, i) => {
    const name = `vision_tower.encoder.layers.${i}`;
    return stages.stage([name], (weights) => loadEncoderLayer(weights, name, config));
  });

  /** Copies hidden states into their columns of the features, wherever they are chosen. */
  function keep(layer: number, hidden: number, features: number): void {
    if (features === hidden) return;
    feature_layers.forEach((chosen, i) => {
      if (chosen !== layer) return;
      for (let row = 0; row < tokens; row++) {
        const at = features + 4 * (row * width + i * hidden_size);
        memory.f32(at, hidden_size).set(memory.f32(hidden + 4 * row * hidden_size, hidden_size));
      }
    });
  }

  /** The features of some images, in `room`; what is needed on the way is given back. */
  async function run(
    pixel_values: PixelValues,
    images: readonly number[],
    room: Room,
    signal?: AbortSignal,
  ): Promise<readonly number[]> {
    const maps = images.map((image) => {
      const hidden = room.alloc(4 * tokens * hidden_size);
      // One layer's hidden states, if they alone are asked for, are the features as they stand.
      const features = feature_layers.length === 1 ? hidden : room.alloc(4 * tokens * width);
      return { image, hidden, features };
    });
    const forEachMap = async (work: (map: (typeof maps)[number]) => void): Promise<void> => {
      for (const map of maps) {
        await yieldToEventLoop();
        signal?.throwIfAborted();
        work(map);
      }
    };
    await inRoom(memory, (room) => {
      const embedImage = createEmbedImage(engine, config, room);
      return embeddings.use((part) => {
        return forEachMap(({ image, hidden, features }) => {
          const pixels = pixel_values.read(image);
          embedImage(part, pixels, hidden);
          freeNow(pixels);
          keep(0, hidden, features);
        });
      }, signal);
    });
    await inRoom(memory, async (room) => {
      const attention = bidirectionalAttention(engine, config, tokens, room);
      const runLayer = createRunLayer(engine, config, attention, tokens, room);
      for (const [i, layer] of layers.entries()) {
        await layer.use((part) => {
          return forEachMap(({ hidden, features }) => {
            runLayer(part, hidden);
            keep(i + 1, hidden, features);
          });
        }, signal);
      }
    });
    return maps.map(({ features }) => features);
  }

  return {
    tokens,
    width,
    async *features(pixel_values, signal) {
      const [batch] = pixel_values.shape;
      const bytes = 4 * tokens * (feature_layers.length === 1 ? hidden_size : hidden_size + width);
      const groups = Math.ceil(batch / Math.max(1, Math.floor(group_bytes / bytes)));
      const size = Math.ceil(batch / groups);
      for (let from = 0; from < batch; from += size) {
        const room = createRoom(memory);
        try {
          const images = Array.from({ length: Math.min(size, batch - from) }, (_, i) => from + i);
          yield await run(pixel_values, images, room, signal);
        } finally {
          room.release();
        }
      }
    },
  };
}
