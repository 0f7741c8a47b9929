import { yieldToEventLoop } from '../event-loop.ts';
import { freeNow } from '../free-now.ts';
import type { Decoder } from '../model/types.ts';
import { createChooseToken } from './choose-token.ts';
import type { GenerationConfig } from './config.ts';
import { maxNewTokens } from './context.ts';
import { createLogitsProcessors, forceEnd } from './logits-process.ts';
import { tokenLogprobs, type TokenLogprobs } from './logprobs.ts';
import type { PromptSequence } from './sequence.ts';
import { constrainTokens, type TokenConstraint } from './token-constraint.ts';

/**
 * Why an answer ended: at an end-of-sequence token or where nothing else could follow, or at
 * max_new_tokens or the context's end.
 */
export type FinishReason = 'stop' | 'length';

export interface GeneratedToken {
  readonly id: number;
  /** Where config.top_logprobs asks for them. */
  readonly logprobs: TokenLogprobs | null;
}

/** A turn of workerd's event loop takes a millisecond, several times what a token of a small model takes. */
const TOKENS_PER_TURN = 4;

/**
 * Greedy decoding or sampling. Yields each token as it is decided, and the event loop runs
 * every few; the end-of-sequence token is not yielded. `past_key_values` is extended, by all but the
 * last token.
 * @param signal looked at before each token; its reason is thrown
 * @throws GlimpseError context_length_exceeded
 */
export async function* generate(
  decoder: Decoder,
  { past_key_values, prompt_ids, input_ids }: PromptSequence,
  config: GenerationConfig,
  signal?: AbortSignal,
  constraint?: TokenConstraint,
): AsyncGenerator<GeneratedToken, FinishReason> {
  const { eos_token_id, top_logprobs } = config;
  const limit = maxNewTokens(decoder, past_key_values.length + input_ids.length, config);
  const constrain = constraint
    ? constrainTokens(constraint, prompt_ids.length, limit)
    : forceEnd(config, prompt_ids.length, limit);
  const processors = createLogitsProcessors(config, prompt_ids.length, constrain);
  const chooseToken = createChooseToken(config);
  const ids = [...prompt_ids];
  const scores = new Float32Array(decoder.vocab_size);
  let next = input_ids;
  for (let count = 0; count < limit; count++) {
    signal?.throwIfAborted();
    const [logits] = await decoder.forward([{ past_key_values, input_ids: next }]);
    if (logits === undefined) throw new Error('the decoder gave no logits');
    scores.set(logits);
    for (const process of processors) process(ids, scores);
    const id = chooseToken(scores);
    if (eos_token_id.includes(id)) return 'stop';
    ids.push(id);
    next = [id];
    const logprobs = top_logprobs === null ? null : tokenLogprobs(logits, id, top_logprobs);
    freeNow(logits);
    yield { id, logprobs };
    if (constraint?.ended(ids.slice(prompt_ids.length))) return 'stop';
    if (count % TOKENS_PER_TURN === 0) await yieldToEventLoop();
  }
  return 'length';
}
