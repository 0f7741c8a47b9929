import type { Tensor } from '../../../src/bundle/safetensors.ts';
import type { LlamaConfig } from '../../../src/model/llama/config.ts';
import { tensorOf } from '../../onnx/weights.ts';
import { writeGguf, type GgufTensor, type GgufValue } from './gguf-file.ts';
import { interleaveHalves, q4Zero } from './q4-0.ts';

const MODEL = 'language_model.model';
const MOSTLY_Q4_0 = 2; // of llama.h's llama_ftype

/**
 * A Llama decoder for llama.cpp, of the very weights of the bundle.
 * @param tensors a bundle's `language_model`, in 4 bits
 * @param tokenizer GGUF's `tokenizer.ggml.*`
 */
export function ggufDecoder(
  tensors: ReadonlyMap<string, Tensor>,
  config: LlamaConfig,
  tokenizer: Readonly<Record<string, GgufValue>>,
): Uint8Array<ArrayBuffer> {
  if (config.model_type !== 'llama' || config.biases.qkv || config.biases.mlp) {
    throw new Error('only Llama without biases is written to GGUF');
  }
  if (config.rope_scaling.rope_type !== 'default') throw new Error('rope_scaling is not written to GGUF');
  const { hidden_size: hidden, intermediate_size: middle, vocab_size, head_dim } = config;
  const { num_attention_heads: heads, num_key_value_heads: kvHeads } = config;

  const linear = (name: string, from: string, n: number, k: number): GgufTensor => ({
    ...{ name: `${name}.weight`, shape: [n, k], type: 'Q4_0' },
    data: q4Zero(tensors, from),
  });
  const turned = (name: string, from: string, heads: number): GgufTensor => {
    const tensor = linear(name, from, heads * head_dim, hidden);
    return { ...tensor, data: interleaveHalves(tensor.data, heads, head_dim) };
  };
  const norm = (name: string, from: string): GgufTensor => ({
    ...{ name: `${name}.weight`, shape: [hidden], type: 'F32' },
    data: tensorOf(tensors, `${from}.weight`).data,
  });
  const layer = (i: number): readonly GgufTensor[] => {
    const [to, from] = [`blk.${i}`, `${MODEL}.layers.${i}`];
    return [
      norm(`${to}.attn_norm`, `${from}.input_layernorm`),
      turned(`${to}.attn_q`, `${from}.self_attn.q_proj`, heads),
      turned(`${to}.attn_k`, `${from}.self_attn.k_proj`, kvHeads),
      linear(`${to}.attn_v`, `${from}.self_attn.v_proj`, kvHeads * head_dim, hidden),
      linear(`${to}.attn_output`, `${from}.self_attn.o_proj`, hidden, heads * head_dim),
      norm(`${to}.ffn_norm`, `${from}.post_attention_layernorm`),
      linear(`${to}.ffn_gate`, `${from}.mlp.gate_proj`, middle, hidden),
      linear(`${to}.ffn_up`, `${from}.mlp.up_proj`, middle, hidden),
      linear(`${to}.ffn_down`, `${from}.mlp.down_proj`, hidden, middle),
    ];
  };
  return writeGguf({ ...metadata(config), ...tokenizer }, [
    linear('token_embd', `${MODEL}.embed_tokens`, vocab_size, hidden),
    ...Array.from({ length: config.num_hidden_layers }, (_, i) => layer(i)).flat(),
    norm('output_norm', `${MODEL}.norm`),
    // Where there is no output, llama.cpp takes the embeddings.
    ...(config.tie_word_embeddings ? [] : [linear('output', 'language_model.lm_head', vocab_size, hidden)]),
  ]);
}

function metadata(config: LlamaConfig): Readonly<Record<string, GgufValue>> {
  const numbers: Readonly<Record<string, number>> = {
    block_count: config.num_hidden_layers,
    context_length: config.max_position_embeddings,
    embedding_length: config.hidden_size,
    feed_forward_length: config.intermediate_size,
    vocab_size: config.vocab_size,
    'attention.head_count': config.num_attention_heads,
    'attention.head_count_kv': config.num_key_value_heads,
    'attention.key_length': config.head_dim,
    'attention.value_length': config.head_dim,
    'rope.dimension_count': config.head_dim,
  };
  return {
    'general.architecture': { type: 'string', value: 'llama' },
    'general.file_type': { type: 'u32', value: MOSTLY_Q4_0 },
    'general.quantization_version': { type: 'u32', value: 2 },
    ...Object.fromEntries(
      Object.entries(numbers).map(([name, value]) => [`llama.${name}`, { type: 'u32', value } as const]),
    ),
    'llama.attention.layer_norm_rms_epsilon': { type: 'f32', value: config.rms_norm_eps },
    'llama.rope.freq_base': { type: 'f32', value: config.rope_theta },
  };
}
