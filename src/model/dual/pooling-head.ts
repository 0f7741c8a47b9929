import type { Engine } from '../../kernels/engine.ts';
import { bidirectionalAttention } from '../attention.ts';
import { loadLayerNorm } from '../vision/encoder-layer.ts';
import { tokensPerImage, type VisionTransformerConfig } from '../vision/transformer-config.ts';
import type { Weights } from '../weights.ts';
import type { ImageHead } from './dual-encoder.ts';

/** Rows whose keys and values are made at a time. */
const ROWS = 64;

/** The transformer's last norm and SigLIP's attention pooling: a learned probe attends to all patches, then an MLP. */
export async function loadPoolingHead(
  engine: Engine,
  weights: Weights,
  config: VisionTransformerConfig,
): Promise<ImageHead> {
  const { kernels, matmul } = engine;
  const { hidden_size: width, intermediate_size, layer_norm_eps: eps, hidden_act: act } = config;
  const tokens = tokensPerImage(config);
  const post_layernorm = await loadLayerNorm(weights, 'vision_tower.post_layernorm', width);
  const name = 'vision_tower.head';
  const probe = await weights.floats(`${name}.probe.weight`, width);
  const q_proj = await weights.linear(`${name}.attention.q_proj`, width, width);
  const kv_proj = await weights.fused([`${name}.attention.k_proj`, `${name}.attention.v_proj`], width, [
    width,
    width,
  ]);
  const out_proj = await weights.linear(`${name}.attention.out_proj`, width, width);
  const layernorm = await loadLayerNorm(weights, `${name}.layernorm`, width);
  const fc1 = await weights.linear(`${name}.mlp.fc1`, width, intermediate_size);
  const fc2 = await weights.linear(`${name}.mlp.fc2`, intermediate_size, width);

  return (hidden, room) => {
    const attention = bidirectionalAttention(engine, config, tokens, room);
    const keysValues = room.alloc(4 * ROWS * 2 * width);
    const attended = room.alloc(4 * width);
    const pooled = room.alloc(4 * width);
    const normed = room.alloc(4 * width);
    const mlp = room.alloc(4 * intermediate_size);
    const output = room.alloc(4 * width);

    kernels.layer_norm(hidden, post_layernorm.weight, post_layernorm.bias, hidden, tokens, width, eps);
    for (let from = 0; from < tokens; from += ROWS) {
      const rows = Math.min(ROWS, tokens - from);
      matmul(kv_proj, hidden + 4 * from * width, keysValues, rows);
      attention.put(keysValues, from, rows);
    }
    matmul(q_proj, probe, attended, 1);
    attention.attend(attended, 0, 1);
    matmul(out_proj, attended, pooled, 1);
    kernels.layer_norm(pooled, layernorm.weight, layernorm.bias, normed, 1, width, eps);
    matmul(fc1, normed, mlp, 1, { act });
    matmul(fc2, mlp, output, 1, { residual: pooled });
    return output;
  };
}
