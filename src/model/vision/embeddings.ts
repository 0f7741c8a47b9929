import type { Engine, Linear } from '../../kernels/engine.ts';
import type { Room } from '../../kernels/room.ts';
import type { Weights } from '../weights.ts';
import { loadLayerNorm, type LayerNorm } from './encoder-layer.ts';
import { patchesPerSide, tokensPerImage, type VisionTransformerConfig } from './transformer-config.ts';

/** What turns an image into a vision transformer's first hidden states. */
export interface Embeddings {
  readonly patch_embedding: Linear;
  readonly position_embedding: number; // [tokens, hidden_size]
  /** CLIP's row before the patches and its norm behind all. */
  readonly class_token?: { readonly embedding: number; readonly pre_layrnorm: LayerNorm };
}

export async function loadEmbeddings(weights: Weights, config: VisionTransformerConfig): Promise<Embeddings> {
  const { hidden_size: width, num_channels, patch_size, class_token } = config;
  const name = 'vision_tower.embeddings';
  return {
    patch_embedding: await weights.linear(
      `${name}.patch_embedding`,
      num_channels * patch_size ** 2,
      width,
      !class_token, // CLIP's has none
    ),
    // Idefics3 finds a patch's place by its fraction of an edge, which for a whole square image is its own.
    position_embedding: await weights.floats(
      `${name}.position_embedding.weight`,
      tokensPerImage(config) * width,
    ),
    ...(class_token && {
      class_token: {
        embedding: await weights.floats(`${name}.class_embedding.weight`, width),
        pre_layrnorm: await loadLayerNorm(weights, 'vision_tower.pre_layrnorm', width),
      },
    }),
  };
}

/**
 * Writes the first hidden states of one image: patches by a Conv2d whose stride is its kernel, which is a
 * product, and positions added.
 * @param pixels [channels, size, size]
 * @param hidden address of [tokens, hidden_size]
 */
export type EmbedImage = (embeddings: Embeddings, pixels: Float32Array, hidden: number) => void;

/** Rows of patches laid out at a time. */
const ROWS = 64;

/** @param room for an image and rows of its patches */
export function createEmbedImage(
  { memory, kernels, matmul }: Engine,
  config: VisionTransformerConfig,
  room: Room,
): EmbedImage {
  const { hidden_size: width, num_channels, image_size, patch_size, layer_norm_eps: eps } = config;
  const image = room.alloc(4 * num_channels * image_size ** 2);
  const rows = room.alloc(4 * ROWS * num_channels * patch_size ** 2);
  const patches = patchesPerSide(config) ** 2;

  return ({ patch_embedding, position_embedding, class_token }, pixels, hidden) => {
    memory.f32(image, pixels.length).set(pixels);
    const first = class_token ? 4 * width : 0;
    for (let from = 0; from < patches; from += ROWS) {
      const count = Math.min(ROWS, patches - from);
      const at = first + 4 * from * width;
      kernels.patches(image, rows, num_channels, image_size, patch_size, from, count);
      matmul(patch_embedding, rows, hidden + at, count, { residual: position_embedding + at });
    }
    if (class_token === undefined) return;
    const position = memory.f32(position_embedding, width);
    const embedding = memory.f32(class_token.embedding, width);
    memory.f32(hidden, width).set(embedding.map((v, i) => v + (position[i] ?? 0)));
    const { weight, bias } = class_token.pre_layrnorm;
    kernels.layer_norm(hidden, weight, bias, hidden, patches + 1, width, eps);
  };
}
