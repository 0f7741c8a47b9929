import type { DecoderInput, PastKeyValues } from '../model/types.ts';
import type { Feeds, Tensor } from './runtime.ts';

/**
 * The keys and values of one sequence as tensors, by the names of the decoder's inputs. A pass makes new
 * ones and writes to none, so that forks share them.
 */
export class TensorPastKeyValues implements PastKeyValues {
  #tensors: Feeds;
  #length: number;
  /** The image, for a decoder that reads it by cross attention. // [1, tokens, hidden] */
  encoder_hidden_states: Tensor | undefined;

  constructor(tensors: Feeds, length = 0, encoder_hidden_states?: Tensor) {
    this.#tensors = tensors;
    this.#length = length;
    this.encoder_hidden_states = encoder_hidden_states;
  }

  get length(): number {
    return this.#length;
  }

  get tensors(): Feeds {
    return this.#tensors;
  }

  extend(tensors: Feeds, rows: number): void {
    this.#tensors = tensors;
    this.#length += rows;
  }

  fork(): TensorPastKeyValues {
    return new TensorPastKeyValues(this.#tensors, this.#length, this.encoder_hidden_states);
  }

  release(): void {
    this.#tensors = {};
    this.encoder_hidden_states = undefined;
  }
}

export function ownPast({ past_key_values }: DecoderInput): TensorPastKeyValues {
  if (past_key_values instanceof TensorPastKeyValues) return past_key_values;
  throw new TypeError('past_key_values were made by another decoder');
}
