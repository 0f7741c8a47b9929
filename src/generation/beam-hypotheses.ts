import type { GenerationConfig } from './config.ts';

/** A complete answer of beam search. */
export interface BeamHypothesis {
  /** Without the end-of-sequence token. */
  readonly ids: readonly number[];
  readonly finish_reason: 'stop' | 'length';
  /** Sum of log-probabilities / length ** length_penalty, the end-of-sequence token in both. */
  readonly score: number;
}

/** The best num_beams complete answers, as in transformers' `_beam_search`. */
export interface BeamHypotheses {
  add(ids: readonly number[], finish_reason: 'stop' | 'length', sum_logprobs: number, length: number): void;
  /** Whether to end the search, given the best unfinished sequence. */
  isDone(best_sum_logprobs: number, length: number): boolean;
  best(): BeamHypothesis;
}

/** @param max_length the most tokens an answer may have */
export function createBeamHypotheses(config: GenerationConfig, max_length: number): BeamHypotheses {
  const { num_beams, length_penalty, early_stopping } = config;
  let hypotheses: BeamHypothesis[] = []; // best first
  return {
    add(ids, finish_reason, sum_logprobs, length) {
      const score = sum_logprobs / length ** length_penalty;
      hypotheses = [...hypotheses, { ids, finish_reason, score }]
        .sort((a, b) => b.score - a.score)
        .slice(0, num_beams);
    },
    isDone(best_sum_logprobs, length) {
      const worst = hypotheses[num_beams - 1];
      if (worst === undefined) return false;
      if (early_stopping === true) return true;
      // A guess at what the sequence can still reach: "never" errs on the side of going on.
      const best_length = early_stopping === 'never' && length_penalty > 0 ? max_length : length;
      return best_sum_logprobs / best_length ** length_penalty <= worst.score;
    },
    best() {
      const [best] = hypotheses;
      if (best === undefined) throw new Error('beam search ended without an answer');
      return best;
    },
  };
}
