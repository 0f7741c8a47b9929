import type { Engine } from '../kernels/engine.ts';
import type { Room } from '../kernels/room.ts';

/** Attention among the rows of one sequence, in runs of rows: all keys and values are put in before any row attends. */
export interface Attention {
  /** @param kv address of the keys and values of rows `from` to `from + rows`. // [rows, 2, hidden_size] */
  put(kv: number, from: number, rows: number): void;
  /** @param q address of queries, which what they attend to takes the place of. // [rows, hidden_size] */
  attend(q: number, from: number, rows: number): void;
}

interface Heads {
  readonly hidden_size: number;
  readonly num_attention_heads: number;
}

/** @param room for the keys and values of `tokens` rows */
export type CreateAttention = (engine: Engine, config: Heads, tokens: number, room: Room) => Attention;

/** Every row attends to all rows. Queries need not be of the sequence. */
export const bidirectionalAttention: CreateAttention = ({ kernels }, config, tokens, room) => {
  const { hidden_size: width, num_attention_heads: heads } = config;
  const dim = width / heads;
  const panels = room.alloc(4 * 2 * Math.ceil(tokens / 4) * 4 * width);
  const scratch = room.alloc(4 * 8 * (2 * dim + tokens + 4));
  return {
    put: (kv, from, rows) => kernels.pack_keys_values(kv, panels, from, rows, tokens, heads, dim),
    attend: (q, _, rows) => kernels.attend_image(q, panels, q, rows, tokens, heads, dim, scratch),
  };
};

/** Every row attends to those before it and to itself. */
export const causalAttention: CreateAttention = ({ memory, kernels }, config, tokens, room) => {
  const { hidden_size: width, num_attention_heads: heads } = config;
  const bytes = 4 * width;
  const keys = room.alloc(tokens * bytes);
  const values = room.alloc(tokens * bytes);
  const scratch = room.alloc(4 * (tokens + 4));
  return {
    put(kv, from, rows) {
      for (let i = 0; i < rows; i++) {
        const row = kv + 2 * i * bytes;
        memory.u8(keys + (from + i) * bytes, bytes).set(memory.u8(row, bytes));
        memory.u8(values + (from + i) * bytes, bytes).set(memory.u8(row + bytes, bytes));
      }
    },
    attend(q, from, rows) {
      for (let i = 0; i < rows; i++) {
        const at = q + i * bytes;
        const seen = from + i + 1;
        kernels.attention(
          ...[at, keys, values, 0, keys, values, seen],
          ...[at, heads, heads, width / heads, scratch],
        );
      }
    },
  };
};
