import { logSumExp } from './softmax.ts';

export interface TokenLogprob {
  readonly id: number;
  /** Natural logarithm of the model's own probability, before any option changes it. */
  readonly logprob: number;
}

/** A token's log-probability and the likeliest that could have stood in its place, best first. */
export interface TokenLogprobs extends TokenLogprob {
  readonly top: readonly TokenLogprob[];
}

/** @param logits the decoder's. // [vocab_size] */
export function tokenLogprobs(logits: Float32Array, id: number, top_logprobs: number): TokenLogprobs {
  const log_sum = logSumExp(logits);
  const of = (token: number): TokenLogprob => ({ id: token, logprob: (logits[token] ?? 0) - log_sum });
  const least = logits.toSorted()[Math.max(0, logits.length - top_logprobs)] ?? Infinity;
  const likeliest = Array.from(logits.keys())
    .filter((token) => (logits[token] ?? 0) >= least)
    .sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b)
    .slice(0, top_logprobs);
  return { ...of(id), top: likeliest.map(of) };
}
