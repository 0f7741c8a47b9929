import type { Engine } from '../../kernels/engine.ts';
import type { LlamaConfig } from './config.ts';
import type { LlamaPastKeyValues } from './kv-cache.ts';

/** What one pass extends one sequence by: rows of the pass's hidden states. */
export interface Span {
  readonly past_key_values: LlamaPastKeyValues;
  readonly first: number;
  readonly rows: number;
}

/** Addresses of a pass's rows. */
export interface AttentionRows {
  readonly qkv: number; // [rows, heads + 2 kv_heads, head_dim]
  readonly rotary: number; // [rows, 2, head_dim / 2]
  readonly attended: number; // [rows, heads, head_dim]
  readonly scores: number; // [positions + 4], of the longest sequence
}

/** Rotates queries and keys, appends keys and values, attends: row by row, so that each sees what came before it. */
export type Attend = (span: Span, layer: number, rows: AttentionRows) => void;

export function createAttend({ memory, kernels }: Engine, config: LlamaConfig): Attend {
  const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim, sliding_windows } = config;
  const width = 4 * heads * head_dim; // in bytes, of one row
  const kvWidth = 4 * kvHeads * head_dim;

  return ({ past_key_values: past, first, rows }, layer, { qkv, rotary, attended, scores }) => {
    const prefix = past.prefix(layer);
    const own = past.own(layer);
    const start = past.length - past.prefixLength;
    const window = sliding_windows[layer] ?? Infinity;
    for (let row = first; row < first + rows; row++) {
      const q = qkv + row * (width + 2 * kvWidth);
      const k = q + width;
      const cos = rotary + row * 4 * head_dim;
      const sin = cos + 2 * head_dim;
      kernels.rope(q, cos, sin, heads, head_dim);
      kernels.rope(k, cos, sin, kvHeads, head_dim);
      const length = start + row - first + 1; // this row included
      memory.u8(own.keys + (length - 1) * kvWidth, kvWidth).set(memory.u8(k, kvWidth));
      memory.u8(own.values + (length - 1) * kvWidth, kvWidth).set(memory.u8(k + kvWidth, kvWidth));
      const unseen = Math.max(0, past.prefixLength + length - window);
      const unseenPrefix = Math.min(unseen, past.prefixLength);
      const [from0, from1] = [unseenPrefix * kvWidth, (unseen - unseenPrefix) * kvWidth];
      kernels.attention(
        ...[q, prefix.keys + from0, prefix.values + from0, past.prefixLength - unseenPrefix],
        ...[own.keys + from1, own.values + from1, length - (unseen - unseenPrefix)],
        ...[attended + row * width, heads, kvHeads, head_dim, scores],
      );
    }
  };
}
