import { yieldToEventLoop } from '../event-loop.ts';
import { logSumExp } from '../generation/softmax.ts';
import type { Decoder, PastKeyValues } from '../model/types.ts';

/** Sequences extended at a time: each holds keys and values of its own. */
export const LABELS_AT_ONCE = 8;

interface Continuation {
  readonly ids: readonly number[];
  /** Log-probabilities of `ids`, as far as they are known. */
  readonly logprobs: number[];
}

/**
 * How likely each continuation is after `input_ids`: the sum of its tokens' log-probabilities.
 * `past_key_values` is extended by `input_ids` and stays the caller's.
 * @param continuations not empty, any of them
 */
export async function logLikelihoods(
  decoder: Decoder,
  past_key_values: PastKeyValues,
  input_ids: readonly number[],
  continuations: readonly (readonly number[])[],
  signal: AbortSignal,
): Promise<readonly number[]> {
  const [first] = await decoder.forward([{ past_key_values, input_ids }]);
  if (first === undefined) throw new Error('the decoder gave no logits');
  const all = continuations.map((ids) => ({ ids, logprobs: [logprob(first, ids[0])] }));
  const longer = all.filter(({ ids }) => ids.length > 1);
  for (let from = 0; from < longer.length; from += LABELS_AT_ONCE) {
    signal.throwIfAborted();
    await yieldToEventLoop();
    await extend(decoder, past_key_values, longer.slice(from, from + LABELS_AT_ONCE));
  }
  return all.map(({ logprobs }) => logprobs.reduce((sum, value) => sum + value, 0));
}

/** All of a batch go on together, a token a pass, until the longest is through. */
async function extend(
  decoder: Decoder,
  prefix: PastKeyValues,
  continuations: readonly Continuation[],
): Promise<void> {
  const longest = Math.max(...continuations.map(({ ids }) => ids.length));
  const forks = continuations.map((continuation) => ({
    ...continuation,
    past_key_values: prefix.fork(longest),
  }));
  try {
    for (let at = 0; at < longest - 1; at++) {
      const going = forks.filter(({ ids }) => at < ids.length - 1);
      const batch = going.map(({ past_key_values, ids }) => ({
        past_key_values,
        input_ids: ids.slice(at, at + 1),
      }));
      const logits = await decoder.forward(batch);
      going.forEach(({ ids, logprobs }, i) => logprobs.push(logprob(logits[i], ids[at + 1])));
    }
  } finally {
    for (const { past_key_values } of forks) past_key_values.release();
  }
}

function logprob(logits: Float32Array | undefined, id: number | undefined): number {
  const logit = id === undefined ? undefined : logits?.[id];
  if (logits === undefined || logit === undefined) throw new Error('the decoder gave no logit of a token');
  return logit - logSumExp(logits);
}
