import type { PastKeyValues } from '../model/types.ts';

/** A prompt that the decoder goes on from. */
export interface PromptSequence {
  /** Holds the prompt's beginning, its images among it. */
  readonly past_key_values: PastKeyValues;
  /** The prompt's tokens, one for each row of its images: what repetition_penalty sees. */
  readonly prompt_ids: readonly number[];
  /** The last of them, which `past_key_values` does not hold yet. */
  readonly input_ids: readonly number[];
}
