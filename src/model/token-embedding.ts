import { GlimpseError } from '../errors.ts';
import type { Linear } from '../kernels/engine.ts';
import type { Weights } from './weights.ts';

/** A table whose rows are looked up by token, which the kernels do in 4 bits. // [vocab_size, hidden_size] */
export async function loadTokenEmbedding(
  weights: Weights,
  name: string,
  { hidden_size, vocab_size }: { readonly hidden_size: number; readonly vocab_size: number },
): Promise<Linear> {
  const table = await weights.linear(name, hidden_size, vocab_size, false);
  if (table.bits === 4) return table;
  throw new GlimpseError('bundle_invalid', `${name} is in 8 bits; embeddings are looked up in 4 bits only.`);
}
