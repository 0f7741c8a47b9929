import { GlimpseError } from '../../errors.ts';
import type { Engine, Linear } from '../../kernels/engine.ts';
import { createRoom } from '../../kernels/room.ts';
import type { CreateAttention } from '../attention.ts';
import {
  createRunLayer,
  loadEncoderLayer,
  loadLayerNorm,
  type EncoderLayer,
} from '../vision/encoder-layer.ts';
import { loadTokenEmbedding } from '../token-embedding.ts';
import type { Weights } from '../weights.ts';
import type { TextTransformerConfig } from './config.ts';

/** What CLIP's and SigLIP's text towers differ in. */
export interface TextTower {
  readonly attention: CreateAttention;
  /** Which row of the hidden states stands for the text. */
  readonly pooledRow: (input_ids: readonly number[]) => number;
  /** The layer from that row into the space of images. */
  readonly loadProjection: (weights: Weights) => Promise<Linear>;
}

/** One text through the tower, projected, the caller's own. // [projection_dim] */
export type TextTransformer = (input_ids: readonly number[]) => Float32Array;

/** The text transformer of CLIP and SigLIP, its weights resident. */
export async function createTextTransformer(
  engine: Engine,
  weights: Weights,
  config: TextTransformerConfig,
  tower: TextTower,
): Promise<TextTransformer> {
  const { memory, kernels, matmul } = engine;
  const { hidden_size: width, vocab_size, max_position_embeddings, layer_norm_eps: eps } = config;
  const embeddings = 'text_model.embeddings';
  const token_embedding = await loadTokenEmbedding(weights, `${embeddings}.token_embedding`, config);
  const position_embedding = await weights.floats(
    `${embeddings}.position_embedding.weight`,
    max_position_embeddings * width,
  );
  const layers: EncoderLayer[] = [];
  for (let i = 0; i < config.num_hidden_layers; i++) {
    layers.push(await loadEncoderLayer(weights, `text_model.encoder.layers.${i}`, config));
  }
  const norm = await loadLayerNorm(weights, 'text_model.final_layer_norm', width);
  const projection = await tower.loadProjection(weights);

  function embed(input_ids: readonly number[], hidden: number): void {
    input_ids.forEach((id, i) => {
      if (id >= vocab_size) {
        const message = `The tokenizer has a token ${id}, and text_config.vocab_size is ${vocab_size}: they are not of one model.`;
        throw new GlimpseError('bundle_invalid', message);
      }
      const row = 4 * i * width;
      kernels.unpack_q4_row(token_embedding.weight, id, width, hidden + row);
      const position = memory.f32(position_embedding + row, width);
      memory.f32(hidden + row, width).forEach((v, j, at) => (at[j] = v + (position[j] ?? 0)));
    });
  }

  return (input_ids) => {
    const tokens = input_ids.length;
    const room = createRoom(memory);
    try {
      const hidden = room.alloc(4 * tokens * width);
      const output = room.alloc(4 * projection.out_features);
      embed(input_ids, hidden);
      const attention = tower.attention(engine, config, tokens, room);
      const runLayer = createRunLayer(engine, config, attention, tokens, room);
      for (const layer of layers) runLayer(layer, hidden);
      const pooled = hidden + 4 * tower.pooledRow(input_ids) * width;
      kernels.layer_norm(pooled, norm.weight, norm.bias, pooled, 1, width, eps);
      matmul(projection, pooled, output, 1);
      return memory.f32(output, projection.out_features).slice();
    } finally {
      room.release();
    }
  };
}
