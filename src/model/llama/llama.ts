import { GlimpseError } from '../../errors.ts';
import type { Engine, Linear } from '../../kernels/engine.ts';
import type { Decoder, DecoderInput } from '../types.ts';
import type { Weights } from '../weights.ts';
import type { LlamaConfig } from './config.ts';
import { LlamaPastKeyValues } from './kv-cache.ts';
import { createRotaryEmbedding } from './rotary-embedding.ts';

interface Layer {
  readonly input_layernorm: number;
  readonly qkv_proj: Linear;
  readonly o_proj: Linear;
  readonly post_attention_layernorm: number;
  readonly gate_up_proj: Linear;
  readonly down_proj: Linear;
}

/** What one pass extends one sequence by: rows of the pass's hidden states. */
interface Span {
  readonly past_key_values: LlamaPastKeyValues;
  readonly first: number;
  readonly rows: number;
}

/** Rows of one pass; longer inputs go in several, which the keys and values make the same. */
const PASS_ROWS = 64;

/** A Llama decoder (Touvron et al., 2023, as transformers' LlamaForCausalLM) with 4-bit weights. */
export function createLlama(engine: Engine, weights: Weights, config: LlamaConfig): Decoder {
  const { memory, kernels, matmul } = engine;
  const { hidden_size, intermediate_size, vocab_size, rms_norm_eps: eps, head_dim } = config;
  const { num_attention_heads: heads, num_key_value_heads: kvHeads, max_position_embeddings } = config;
  const kvWidth = kvHeads * head_dim;
  const qkvWidth = heads * head_dim + 2 * kvWidth;

  const embed_tokens = weights.linear('language_model.model.embed_tokens');
  const layers = Array.from({ length: config.num_hidden_layers }, (_, i) => loadLayer(weights, config, i));
  const norm = weights.floats('language_model.model.norm.weight', hidden_size);
  const rotary = createRotaryEmbedding(memory, config);

  const hidden = memory.alloc(4 * PASS_ROWS * hidden_size); // [rows, hidden_size]
  const middle = memory.alloc(4 * PASS_ROWS * hidden_size); // hidden states between attention and MLP
  const normed = memory.alloc(4 * PASS_ROWS * hidden_size);
  const qkv = memory.alloc(4 * PASS_ROWS * qkvWidth);
  const attended = memory.alloc(4 * PASS_ROWS * heads * head_dim);
  const gate_up = memory.alloc(4 * PASS_ROWS * 2 * intermediate_size);
  const mlp = memory.alloc(4 * PASS_ROWS * intermediate_size);
  const scores = memory.alloc(4 * (max_position_embeddings + 4));
  const logits = memory.alloc(4 * vocab_size);

  /** Rotates queries and keys, appends keys and values, attends: row by row, so that each sees what came before it. */
  function attend({ past_key_values: past, first, rows }: Span, layer: number): void {
    const prefix = past.prefix(layer);
    const own = past.own(layer);
    const start = past.length - past.prefixLength;
    for (let i = 0; i < rows; i++) {
      const position = past.length + i;
      const q = qkv + 4 * (first + i) * qkvWidth;
      const k = q + 4 * heads * head_dim;
      const { cos, sin } = rotary(position);
      kernels.rope(q, cos, sin, heads, head_dim);
      kernels.rope(k, cos, sin, kvHeads, head_dim);
      const slot = 4 * (start + i) * kvWidth;
      memory.u8(own.keys + slot, 4 * kvWidth).set(memory.u8(k, 4 * kvWidth));
      memory.u8(own.values + slot, 4 * kvWidth).set(memory.u8(k + 4 * kvWidth, 4 * kvWidth));
      kernels.attention(
        ...[q, prefix.keys, prefix.values, past.prefixLength, own.keys, own.values, start + i + 1],
        ...[attended + 4 * (first + i) * heads * head_dim, heads, kvHeads, head_dim, scores],
      );
    }
  }

  function pass(spans: readonly Span[]): void {
    const rows = spans.reduce((sum, span) => sum + span.rows, 0);
    for (const { past_key_values, rows } of spans) past_key_values.reserve(rows);
    layers.forEach((layer, i) => {
      kernels.rms_norm(hidden, layer.input_layernorm, normed, rows, hidden_size, eps);
      matmul(layer.qkv_proj, normed, qkv, rows);
      for (const span of spans) attend(span, i);
      matmul(layer.o_proj, attended, middle, rows, { residual: hidden });
      kernels.rms_norm(middle, layer.post_attention_layernorm, normed, rows, hidden_size, eps);
      matmul(layer.gate_up_proj, normed, gate_up, rows);
      kernels.silu_mul(gate_up, mlp, rows, intermediate_size);
      matmul(layer.down_proj, mlp, hidden, rows, { residual: middle });
    });
    for (const { past_key_values, rows } of spans) past_key_values.extend(rows);
  }

  /** Copied out: the next pass overwrites them, and whoever awaits them may wake after it. */
  function logitsAt(row: number): Float32Array {
    kernels.rms_norm(hidden + 4 * row * hidden_size, norm, normed, 1, hidden_size, eps);
    matmul(embed_tokens, normed, logits, 1);
    return memory.f32(logits, vocab_size).slice();
  }

  /** Writes rows `from` to `from + rows` of an input to the hidden states. */
  function embed(input: DecoderInput, from: number, rows: number, first: number): void {
    const at = hidden + 4 * first * hidden_size;
    if ('inputs_embeds' in input) {
      const embeds = input.inputs_embeds.subarray(from * hidden_size, (from + rows) * hidden_size);
      memory.f32(at, rows * hidden_size).set(embeds);
      return;
    }
    input.input_ids.slice(from, from + rows).forEach((id, i) => {
      kernels.unpack_q4_row(embed_tokens.weight, id, hidden_size, at + 4 * i * hidden_size);
    });
  }

  function rowsOf(input: DecoderInput): number {
    return 'inputs_embeds' in input ? input.inputs_embeds.length / hidden_size : input.input_ids.length;
  }

  return {
    vocab_size,
    max_position_embeddings,
    create: (positions) => new LlamaPastKeyValues(memory, config, positions),
    forward(batch) {
      const results = batch.map((): Float32Array => new Float32Array(0));
      let spans: Span[] = [];
      let used = 0;
      let finished: { readonly item: number; readonly row: number }[] = [];
      const flush = (): void => {
        if (used > 0) pass(spans);
        for (const { item, row } of finished) results[item] = logitsAt(row);
        [spans, used, finished] = [[], 0, []];
      };
      batch.forEach((input, item) => {
        const total = rowsOf(input);
        const past_key_values = ownedCache(input);
        requireRoom(past_key_values.length + total, max_position_embeddings);
        for (let from = 0; from < total;) {
          if (used === PASS_ROWS) flush();
          const rows = Math.min(total - from, PASS_ROWS - used);
          embed(input, from, rows, used);
          spans.push({ past_key_values, first: used, rows });
          used += rows;
          from += rows;
          if (from === total) finished.push({ item, row: used - 1 });
        }
      });
      flush();
      return Promise.resolve(results);
    },
  };
}

function ownedCache({ past_key_values }: DecoderInput): LlamaPastKeyValues {
  if (past_key_values instanceof LlamaPastKeyValues) return past_key_values;
  throw new TypeError('past_key_values were made by another decoder');
}

function requireRoom(length: number, max_position_embeddings: number): void {
  if (length <= max_position_embeddings) return;
  throw new GlimpseError(
    'context_length_exceeded',
    `The sequence has ${length} tokens, image included; the model's context is ${max_position_embeddings}.`,
  );
}

function loadLayer(weights: Weights, { hidden_size }: LlamaConfig, index: number): Layer {
  const name = `language_model.model.layers.${index}`;
  return {
    input_layernorm: weights.floats(`${name}.input_layernorm.weight`, hidden_size),
    qkv_proj: weights.fused(['q', 'k', 'v'].map((part) => `${name}.self_attn.${part}_proj`)),
    o_proj: weights.linear(`${name}.self_attn.o_proj`),
    post_attention_layernorm: weights.floats(`${name}.post_attention_layernorm.weight`, hidden_size),
    gate_up_proj: weights.fused(['gate', 'up'].map((part) => `${name}.mlp.${part}_proj`)),
    down_proj: weights.linear(`${name}.mlp.down_proj`),
  };
}
