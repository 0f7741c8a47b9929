import type { Engine, Linear } from '../../kernels/engine.ts';
import type { Room } from '../../kernels/room.ts';
import type { Attention } from '../attention.ts';
import type { Weights } from '../weights.ts';
import type { VisionTransformerConfig } from './transformer-config.ts';

/** Addresses of a layer norm's parameters. // [hidden_size] each */
export interface LayerNorm {
  readonly weight: number;
  readonly bias: number;
}

/** A layer of CLIP's and SigLIP's encoder: attention and an MLP, each behind its norm and beside a residual. */
export interface EncoderLayer {
  readonly layer_norm1: LayerNorm;
  readonly q_proj: Linear;
  readonly kv_proj: Linear;
  readonly out_proj: Linear;
  readonly layer_norm2: LayerNorm;
  readonly fc1: Linear;
  readonly fc2: Linear;
}

/** What of a vision or text transformer's configuration its layers need. */
export type EncoderLayerConfig = Pick<
  VisionTransformerConfig,
  'hidden_size' | 'intermediate_size' | 'num_attention_heads' | 'layer_norm_eps' | 'hidden_act'
>;

export async function loadLayerNorm(weights: Weights, name: string, width: number): Promise<LayerNorm> {
  return {
    weight: await weights.floats(`${name}.weight`, width),
    bias: await weights.floats(`${name}.bias`, width),
  };
}

export async function loadEncoderLayer(
  weights: Weights,
  name: string,
  { hidden_size: width, intermediate_size: inner }: EncoderLayerConfig,
): Promise<EncoderLayer> {
  const keysValues = ['k', 'v'].map((part) => `${name}.self_attn.${part}_proj`);
  return {
    layer_norm1: await loadLayerNorm(weights, `${name}.layer_norm1`, width),
    q_proj: await weights.linear(`${name}.self_attn.q_proj`, width, width),
    kv_proj: await weights.fused(keysValues, width, [width, width]),
    out_proj: await weights.linear(`${name}.self_attn.out_proj`, width, width),
    layer_norm2: await loadLayerNorm(weights, `${name}.layer_norm2`, width),
    fc1: await weights.linear(`${name}.mlp.fc1`, width, inner),
    fc2: await weights.linear(`${name}.mlp.fc2`, inner, width),
  };
}

/**
 * Runs a layer over one image or text.
 * @param hidden address of its hidden states, which the layer's take the place of. // [tokens, hidden_size]
 */
export type RunLayer = (layer: EncoderLayer, hidden: number) => void;

/** Rows between two norms at a time: an MLP's inner rows are wide, and these stay in the second-level cache. */
const ROWS = 64;

/**
 * @param attention of the sequence, whose keys and values are replaced by each layer's
 * @param tokens rows of the sequence
 * @param room for what stands between the products
 */
export function createRunLayer(
  { kernels, matmul }: Engine,
  config: EncoderLayerConfig,
  attention: Attention,
  tokens: number,
  room: Room,
): RunLayer {
  const { hidden_size: width, intermediate_size, layer_norm_eps: eps } = config;
  const normed = room.alloc(4 * ROWS * width);
  const keysValues = room.alloc(4 * ROWS * 2 * width);
  const attended = room.alloc(4 * ROWS * width); // queries, and what they attend to in their place
  const middle = room.alloc(4 * ROWS * width); // hidden states between attention and MLP
  const mlp = room.alloc(4 * ROWS * intermediate_size);

  function norm({ weight, bias }: LayerNorm, x: number, rows: number): void {
    kernels.layer_norm(x, weight, bias, normed, rows, width, eps);
  }

  function putKeysValues(layer: EncoderLayer, hidden: number, from: number, rows: number): void {
    norm(layer.layer_norm1, hidden, rows);
    matmul(layer.kv_proj, normed, keysValues, rows);
    attention.put(keysValues, from, rows);
  }

  /** Normed again: cheaper than keeping every row's query until all keys are there. */
  function replaceRows(layer: EncoderLayer, hidden: number, from: number, rows: number): void {
    norm(layer.layer_norm1, hidden, rows);
    matmul(layer.q_proj, normed, attended, rows);
    attention.attend(attended, from, rows);
    matmul(layer.out_proj, attended, middle, rows, { residual: hidden });
    norm(layer.layer_norm2, middle, rows);
    matmul(layer.fc1, normed, mlp, rows, { act: config.hidden_act });
    matmul(layer.fc2, mlp, hidden, rows, { residual: middle });
  }

  return (layer, hidden) => {
    for (let from = 0; from < tokens; from += ROWS) {
      putKeysValues(layer, hidden + 4 * from * width, from, Math.min(ROWS, tokens - from));
    }
    for (let from = 0; from < tokens; from += ROWS) {
      replaceRows(layer, hidden + 4 * from * width, from, Math.min(ROWS, tokens - from));
    }
  };
}
