import type { PastKeyValues } from '../model/types.ts';

/** An unfinished sequence of beam search. */
export interface Beam {
  /** The tokens generated. */
  readonly ids: readonly number[];
  readonly sum_logprobs: number;
  readonly past_key_values: PastKeyValues;
}

/** A beam and a token that may follow it. */
export interface Continuation {
  readonly beam: Beam;
  readonly token: number;
  readonly sum_logprobs: number;
}

/** The forks of past_key_values that a beam search owns: each is released once. */
export interface Beams {
  /** The first beam, which goes on from a sequence that stays the caller's. */
  start(past_key_values: PastKeyValues): readonly Beam[];
  /** The beams of the next step. A beam chosen more than once is forked, one not chosen released. */
  advance(chosen: readonly Continuation[]): readonly Beam[];
  release(): void;
}

export function createBeams(): Beams {
  const owned = new Set<PastKeyValues>();

  function fork(past_key_values: PastKeyValues): PastKeyValues {
    const copy = past_key_values.fork();
    owned.add(copy);
    return copy;
  }

  function releaseAllBut(kept: ReadonlySet<PastKeyValues>): void {
    for (const past_key_values of owned) {
      if (!kept.has(past_key_values) && owned.delete(past_key_values)) past_key_values.release();
    }
  }

  return {
    start: (past_key_values) => [{ ids: [], sum_logprobs: 0, past_key_values: fork(past_key_values) }],
    advance(chosen) {
      const free = new Set(chosen.map(({ beam }) => beam.past_key_values));
      releaseAllBut(free); // before forks take memory
      return chosen.map(({ beam: { ids, past_key_values }, token, sum_logprobs }) => ({
        ids: [...ids, token],
        sum_logprobs,
        past_key_values: free.delete(past_key_values) ? past_key_values : fork(past_key_values),
      }));
    },
    release: () => releaseAllBut(new Set()),
  };
}
