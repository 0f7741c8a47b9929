import type { Linear } from '../../kernels/engine.ts';
import type { Weights } from '../weights.ts';
import type { LlamaConfig } from './config.ts';

export interface Layer {
  readonly input_layernorm: number;
  readonly qkv_proj: Linear;
  readonly o_proj: Linear;
  readonly post_attention_layernorm: number;
  readonly gate_up_proj: Linear;
  readonly down_proj: Linear;
}

/** The layers in order, which is the bundle's. */
export async function loadLayers(weights: Weights, config: LlamaConfig): Promise<readonly Layer[]> {
  const layers: Layer[] = [];
  while (layers.length < config.num_hidden_layers) {
    layers.push(await loadLayer(weights, config, `language_model.model.layers.${layers.length}`));
  }
  return layers;
}

async function loadLayer(weights: Weights, config: LlamaConfig, name: string): Promise<Layer> {
  const { hidden_size, intermediate_size, head_dim, biases } = config;
  const queries = config.num_attention_heads * head_dim;
  const keys = config.num_key_value_heads * head_dim;
  return {
    input_layernorm: await weights.floats(`${name}.input_layernorm.weight`, hidden_size),
    qkv_proj: await weights.fused(
      ['q', 'k', 'v'].map((part) => `${name}.self_attn.${part}_proj`),
      hidden_size,
      [queries, keys, keys],
      biases.qkv,
    ),
    o_proj: await weights.linear(`${name}.self_attn.o_proj`, queries, hidden_size, biases.o),
    post_attention_layernorm: await weights.floats(`${name}.post_attention_layernorm.weight`, hidden_size),
    gate_up_proj: await weights.fused(
      ['gate', 'up'].map((part) => `${name}.mlp.${part}_proj`),
      hidden_size,
      [intermediate_size, intermediate_size],
      biases.mlp,
    ),
    down_proj: await weights.linear(`${name}.mlp.down_proj`, intermediate_size, hidden_size, biases.mlp),
  };
}
