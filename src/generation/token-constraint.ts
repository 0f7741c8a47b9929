import type { LogitsProcessor } from './logits-process.ts';

/** Which tokens may follow those generated, such as those of JSON. Holds nothing of any one sequence. */
export interface TokenConstraint {
  /** How many tokens the shortest whole answer needs. */
  readonly shortest: number;
  /**
   * Puts all other tokens at -Infinity. The end may come where the answer is whole, and no token may
   * come after which it could not be made whole within the limit.
   * @param ids the tokens generated
   * @param limit how many may be generated; at least `shortest`
   */
  mask(ids: readonly number[], limit: number, logits: Float32Array): void;
  /** Whether nothing but the end can follow. */
  ended(ids: readonly number[]): boolean;
}

/** The constraint as one of the logits processors. */
export function constrainTokens(
  constraint: TokenConstraint,
  prompt_length: number,
  limit: number,
): LogitsProcessor {
  return (input_ids, logits) => constraint.mask(input_ids.slice(prompt_length), limit, logits);
}
