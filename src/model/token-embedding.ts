import { GlimpseError } from '../errors.ts';
import type { Engine, Linear } from '../kernels/engine.ts';
import type { Weights } from './weights.ts';

interface Shape {
  readonly hidden_size: number;
  readonly vocab_size: number;
}

/** The tensor of a decoder's token embeddings. */
export const EMBED_TOKENS = 'language_model.model.embed_tokens';

/** The embeddings of tokens. */
export interface TokenEmbedding {
  /** One behind the other, the caller's own. // [input_ids, hidden_size] */
  rows(input_ids: readonly number[]): Promise<Float32Array>;
  /** undefined: it is not in memory as a whole. // [vocab_size, hidden_size] */
  readonly table?: Linear;
}

/** A table whose rows are looked up by token, which the kernels do in 4 bits. // [vocab_size, hidden_size] */
export async function loadTokenEmbedding(
  weights: Weights,
  name: string,
  { hidden_size, vocab_size }: Shape,
): Promise<Linear> {
  const table = await weights.table(name, hidden_size, vocab_size);
  if (table.bits === 4) return table;
  throw new GlimpseError('bundle_invalid', `${name} is in 8 bits; embeddings are looked up in 4 bits only.`);
}

/** A table in memory. */
export async function residentEmbedding(
  { memory, kernels }: Engine,
  weights: Weights,
  name: string,
  config: Shape,
): Promise<TokenEmbedding> {
  const table = await loadTokenEmbedding(weights, name, config);
  const width = config.hidden_size;
  const row = memory.alloc(4 * width);
  return {
    table,
    rows(input_ids) {
      const embeds = new Float32Array(input_ids.length * width);
      input_ids.forEach((id, i) => {
        kernels.unpack_q4_row(table.weight, id, width, row);
        embeds.set(memory.f32(row, width), i * width);
      });
      return Promise.resolve(embeds);
    },
  };
}
