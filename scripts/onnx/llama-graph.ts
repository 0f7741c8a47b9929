import type { Tensor } from '../../src/bundle/safetensors.ts';
import type { LlamaConfig } from '../../src/model/llama/config.ts';
import { createGraph } from './graph-builder.ts';
import { concatenated } from '../../src/onnx/tensors.ts';
import { asFloats, dequantised, fourBit, tensorOf, transposed } from './weights.ts';

export type DecoderDtype = 'fp32' | 'q4';

const INT32 = 6; // of TensorProto.DataType
const MODEL = 'language_model.model';

/**
 * A Llama decoder as decoder_model_merged.onnx, of the operators that published graphs have.
 * @param tensors a bundle's `language_model`, in 4 bits
 * @param dtype `q4`: the same 4-bit weights, multiplied by activations in 8 bits, the fastest that there is;
 * `fp32`: dequantised
 */
export function llamaDecoder(
  tensors: ReadonlyMap<string, Tensor>,
  config: LlamaConfig,
  dtype: DecoderDtype,
): Uint8Array {
  if (config.rope_scaling.rope_type !== 'default') throw new Error('rope_scaling is not written to ONNX');
  const graph = createGraph();
  const { hidden_size: hidden, intermediate_size: middle, vocab_size, head_dim } = config;
  const { num_attention_heads: heads, num_key_value_heads: kvHeads, num_hidden_layers } = config;
  const ints = (...values: readonly number[]) =>
    graph.constant(BigInt64Array.from(values, BigInt), [values.length]);
  const scalar = (value: bigint) => graph.constant(BigInt64Array.of(value), []);

  /** One product with the rows of all `names`. */
  function linear(x: string, names: readonly string[], n: number, k: number): string {
    if (dtype === 'q4') {
      const { q, scale } = fourBit(tensors, names);
      const attributes = {
        ...{ K: { i: k }, N: { i: n }, bits: { i: 4 }, block_size: { i: 32 } },
        accuracy_level: { i: 4 },
      };
      const weights = [graph.constant(q, [n, k / 32, 16]), graph.constant(scale, [scale.length])];
      return graph.node('MatMulNBits', [x, ...weights], attributes, 'com.microsoft');
    }
    const rows = concatenated(names.map((name) => dequantised(tensors, `${name}.weight`)));
    return graph.node('MatMul', [x, graph.constant(transposed(rows, n, k), [k, n])]);
  }

  const norm = (x: string, name: string) =>
    graph.node(
      'SimplifiedLayerNormalization',
      [x, graph.constant(asFloats(tensorOf(tensors, `${name}.weight`)), [hidden])],
      { axis: { i: -1 }, epsilon: { f: config.rms_norm_eps } },
    );

  let x = graph.input('inputs_embeds', ['batch_size', 'sequence_length', hidden]);
  const mask = graph.input('attention_mask', ['batch_size', 'total_sequence_length'], 'int64');
  const kept = graph.input('num_logits_to_keep', [], 'int64');
  const toInt32 = (value: string) => graph.node('Cast', [value], { to: { i: INT32 } });
  const lengths = graph.node('ReduceSum', [mask, ints(1)], { keepdims: { i: 0 } });
  const last = toInt32(graph.node('Sub', [lengths, scalar(1n)])); // [batch]
  const total = toInt32(graph.node('Gather', [graph.node('Shape', [mask]), scalar(1n)], { axis: { i: 0 } }));
  const [cos, sin] = [Math.cos, Math.sin].map((of) => graph.constant(...rotary(config, of))) as [
    string,
    string,
  ];

  const outputs: Record<string, string> = {};
  for (let layer = 0; layer < num_hidden_layers; layer++) {
    const name = `${MODEL}.layers.${layer}`;
    const past = ['key', 'value'].map((part) =>
      graph.input(`past_key_values.${layer}.${part}`, [
        'batch_size',
        kvHeads,
        'past_sequence_length',
        head_dim,
      ]),
    );
    const parts = ['q', 'k', 'v'].map((part) => `${name}.self_attn.${part}_proj`);
    const qkv = linear(norm(x, `${name}.input_layernorm`), parts, (heads + 2 * kvHeads) * head_dim, hidden);
    const [attended = '', key = '', value = ''] = graph.nodes(
      3,
      'GroupQueryAttention',
      [qkv, '', '', ...past, last, total, cos, sin],
      { num_heads: { i: heads }, kv_num_heads: { i: kvHeads }, do_rotary: { i: 1 } },
      'com.microsoft',
    );
    outputs[`present.${layer}.key`] = key;
    outputs[`present.${layer}.value`] = value;
    x = graph.node('Add', [x, linear(attended, [`${name}.self_attn.o_proj`], hidden, heads * head_dim)]);

    const normed = norm(x, `${name}.post_attention_layernorm`);
    const gates = linear(normed, [`${name}.mlp.gate_proj`, `${name}.mlp.up_proj`], 2 * middle, hidden);
    const [gate = '', up = ''] = graph.nodes(2, 'Split', [gates], { axis: { i: -1 }, num_outputs: { i: 2 } });
    const silu = graph.node('Mul', [gate, graph.node('Sigmoid', [gate])]);
    x = graph.node('Add', [
      x,
      linear(graph.node('Mul', [silu, up]), [`${name}.mlp.down_proj`], hidden, middle),
    ]);
  }
  // The last rows alone; from row -0, which is 0, where all are asked for.
  const from = graph.node('Reshape', [graph.node('Neg', [kept]), ints(1)]);
  const tail = graph.node('Slice', [norm(x, `${MODEL}.norm`), from, ints(Number.MAX_SAFE_INTEGER), ints(1)]);
  const head = config.tie_word_embeddings ? `${MODEL}.embed_tokens` : 'language_model.lm_head';
  return graph.encode({ logits: linear(tail, [head], vocab_size, hidden), ...outputs });
}

/** Cosines or sines of every position's angles, and their shape. // [positions, head_dim / 2] */
function rotary(
  { head_dim, rope_theta, max_position_embeddings: positions }: LlamaConfig,
  of: (angle: number) => number,
): readonly [Float32Array, readonly number[]] {
  const half = head_dim / 2;
  const angles = (i: number): number => Math.floor(i / half) / rope_theta ** ((2 * (i % half)) / head_dim);
  return [Float32Array.from({ length: positions * half }, (_, i) => of(angles(i))), [positions, half]];
}

/** embed_tokens.onnx: the rows of ids. */
export function embedTokens(
  tensors: ReadonlyMap<string, Tensor>,
  { vocab_size, hidden_size }: LlamaConfig,
): Uint8Array {
  const graph = createGraph();
  const ids = graph.input('input_ids', ['batch_size', 'sequence_length'], 'int64');
  const table = graph.constant(dequantised(tensors, `${MODEL}.embed_tokens.weight`), [
    vocab_size,
    hidden_size,
  ]);
  return graph.encode({ inputs_embeds: graph.node('Gather', [table, ids]) });
}
