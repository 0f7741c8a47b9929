import { GlimpseError } from '../../errors.ts';
import type { Engine } from '../../kernels/engine.ts';
import type { Decoder, DecoderInput } from '../types.ts';
import { EMBED_TOKENS, residentEmbedding, type TokenEmbedding } from '../token-embedding.ts';
import type { Weights } from '../weights.ts';
import { createAttend, type Span } from './attend.ts';
import type { LlamaConfig } from './config.ts';
import { bytesPerPosition, LlamaPastKeyValues } from './kv-cache.ts';
import { loadLayers } from './layer.ts';
import { createRotaryEmbedding } from './rotary-embedding.ts';

/** Rows of one pass; longer inputs go in several, which the keys and values make the same. */
const PASS_ROWS = 64;

/**
 * A decoder of Llama's family (Touvron et al., 2023; transformers' LlamaForCausalLM, MistralForCausalLM and
 * Qwen2ForCausalLM) with 4-bit weights.
 *
 * Its context is config.json's max_position_embeddings, but no memory is set aside for it: keys and values take
 * `bytes_per_position` as a sequence grows, which for SmolVLM-256M is 46 KB, and 377 MB at its 8192 positions.
 * `create` and `forward` answer `overloaded` where the kernels' memory ends first.
 * @param elsewhere token embeddings that are not among the weights
 */
export async function createLlama(
  engine: Engine,
  weights: Weights,
  config: LlamaConfig,
  elsewhere?: TokenEmbedding,
): Promise<Decoder> {
  const { memory, kernels, matmul } = engine;
  const { hidden_size, intermediate_size, vocab_size, rms_norm_eps: eps, head_dim } = config;
  const { num_attention_heads: heads, num_key_value_heads: kvHeads, max_position_embeddings } = config;

  const embed_tokens = elsewhere ?? (await residentEmbedding(engine, weights, EMBED_TOKENS, config));
  const layers = await loadLayers(weights, config);
  const norm = await weights.floats('language_model.model.norm.weight', hidden_size);
  const lm_head =
    (config.tie_word_embeddings ? embed_tokens.table : undefined) ??
    (await weights.table('language_model.lm_head', hidden_size, vocab_size));

  const floats = (columns: number): number => memory.alloc(4 * PASS_ROWS * columns);
  const hidden = floats(hidden_size); // [rows, hidden_size]
  const middle = floats(hidden_size); // hidden states between attention and MLP
  const normed = floats(hidden_size);
  const gate_up = floats(2 * intermediate_size);
  const mlp = floats(intermediate_size);
  const qkv = floats((heads + 2 * kvHeads) * head_dim);
  const attended = floats(heads * head_dim);
  const rotary = floats(head_dim);
  const logits = memory.alloc(4 * lm_head.out_features);
  const embedPosition = createRotaryEmbedding(memory, config);
  const attend = createAttend(engine, config);

  function embedPositions({ past_key_values, first, rows }: Span): void {
    for (let i = 0; i < rows; i++) {
      embedPosition(past_key_values.length + i, rotary + 4 * (first + i) * head_dim);
    }
  }

  function pass(spans: readonly Span[]): void {
    const rows = spans.reduce((sum, span) => sum + span.rows, 0);
    for (const { past_key_values, rows } of spans) past_key_values.reserve(rows);
    const longest = Math.max(...spans.map(({ past_key_values, rows }) => past_key_values.length + rows));
    const scores = memory.alloc(4 * (longest + 4));
    spans.forEach(embedPositions);
    layers.forEach((layer, i) => {
      kernels.rms_norm(hidden, layer.input_layernorm, normed, rows, hidden_size, eps);
      matmul(layer.qkv_proj, normed, qkv, rows);
      for (const span of spans) attend(span, i, { qkv, rotary, attended, scores });
      matmul(layer.o_proj, attended, middle, rows, { residual: hidden });
      kernels.rms_norm(middle, layer.post_attention_layernorm, normed, rows, hidden_size, eps);
      matmul(layer.gate_up_proj, normed, gate_up, rows);
      kernels.silu_mul(gate_up, mlp, rows, intermediate_size);
      matmul(layer.down_proj, mlp, hidden, rows, { residual: middle });
    });
    memory.free(scores);
    for (const { past_key_values, rows } of spans) past_key_values.extend(rows);
  }

  /** Copied out: the next pass overwrites them, and whoever awaits them may wake after it. */
  function logitsAt(row: number): Float32Array {
    kernels.rms_norm(hidden + 4 * row * hidden_size, norm, normed, 1, hidden_size, eps);
    matmul(lm_head, normed, logits, 1);
    return memory.f32(logits, vocab_size).slice();
  }

  async function embedsOf(input: DecoderInput): Promise<Float32Array> {
    return 'inputs_embeds' in input ? input.inputs_embeds : embed_tokens.rows(input.input_ids);
  }

  return {
    vocab_size,
    max_position_embeddings,
    bytes_per_position: bytesPerPosition(config),
    create: (positions) => new LlamaPastKeyValues(memory, config, positions),
    async forward(batch) {
      const embeds = await Promise.all(batch.map(embedsOf)); // nothing is awaited behind it
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
        const rows_embeds = embeds[item] ?? new Float32Array();
        const total = rows_embeds.length / hidden_size;
        const past_key_values = ownedCache(input);
        requireRoom(past_key_values.length + total, max_position_embeddings);
        for (let from = 0; from < total;) {
          if (used === PASS_ROWS) flush();
          const rows = Math.min(total - from, PASS_ROWS - used);
          memory
            .f32(hidden + 4 * used * hidden_size, rows * hidden_size)
            .set(rows_embeds.subarray(from * hidden_size, (from + rows) * hidden_size));
          spans.push({ past_key_values, first: used, rows });
          used += rows;
          from += rows;
          if (from === total) finished.push({ item, row: used - 1 });
        }
      });
      flush();
      return results;
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
