import { yieldToEventLoop } from '../event-loop.ts';
import { freeNow } from '../free-now.ts';
import type { Decoder } from '../model/types.ts';
import { createBeamHypotheses, type BeamHypothesis } from './beam-hypotheses.ts';
import { createBeams, type Beam, type Continuation } from './beams.ts';
import type { GenerationConfig } from './config.ts';
import { maxNewTokens } from './context.ts';
import { createLogitsProcessors, forceEnd, type LogitsProcessor } from './logits-process.ts';
import type { PromptSequence } from './sequence.ts';
import { logSumExp } from './softmax.ts';
import { constrainTokens, type TokenConstraint } from './token-constraint.ts';

/**
 * The best of config.num_beams sequences searched together, as transformers' beam search finds it;
 * every step is one batch of the decoder. `past_key_values` is left as it is.
 * @param signal looked at before each step; its reason is thrown
 * @throws GlimpseError context_length_exceeded
 */
export async function beamSearch(
  decoder: Decoder,
  prompt: PromptSequence,
  config: GenerationConfig,
  signal?: AbortSignal,
  constraint?: TokenConstraint,
): Promise<BeamHypothesis> {
  const { past_key_values, prompt_ids, input_ids } = prompt;
  const limit = maxNewTokens(decoder, past_key_values.length + input_ids.length, config);
  const constrain = constraint
    ? constrainTokens(constraint, prompt_ids.length, limit)
    : forceEnd(config, prompt_ids.length, limit);
  const processors = createLogitsProcessors(config, prompt_ids.length, constrain);
  const expand = createExpansion(decoder, prompt, config, processors);
  const hypotheses = createBeamHypotheses(config, limit);
  const isEnd = (token: number): boolean => config.eos_token_id.includes(token);
  const beams = createBeams();
  try {
    let open = beams.start(past_key_values);
    for (let length = 1; ; length++) {
      signal?.throwIfAborted();
      const continuations = await expand(open);
      for (const { beam, token, sum_logprobs } of continuations.slice(0, config.num_beams)) {
        if (isEnd(token)) hypotheses.add(beam.ids, 'stop', sum_logprobs, length);
        else if (length === limit) {
          const ids = [...beam.ids, token];
          hypotheses.add(ids, constraint?.ended(ids) ? 'stop' : 'length', sum_logprobs, length);
        }
      }
      const chosen = continuations.filter(({ token }) => !isEnd(token)).slice(0, config.num_beams);
      const [best] = chosen;
      if (best === undefined || length === limit || hypotheses.isDone(best.sum_logprobs, length)) {
        return hypotheses.best();
      }
      open = beams.advance(chosen);
      await yieldToEventLoop();
    }
  } finally {
    beams.release();
  }
}

/** One step of the decoder for all beams, and the likeliest continuations of all, best first. */
function createExpansion(
  decoder: Decoder,
  { prompt_ids, input_ids }: PromptSequence,
  config: GenerationConfig,
  processors: readonly LogitsProcessor[],
): (beams: readonly Beam[]) => Promise<readonly Continuation[]> {
  // A beam can end in as many ways as there are end tokens: with that many more, num_beams go on.
  const kept = config.num_beams * Math.max(2, 1 + config.eos_token_id.length);
  const scores = new Float32Array(decoder.vocab_size);
  return async (beams) => {
    const logits = await decoder.forward(
      beams.map(({ ids, past_key_values }) => ({
        past_key_values,
        input_ids: ids.length === 0 ? input_ids : ids.slice(-1),
      })),
    );
    const best: Continuation[] = [];
    for (const [index, beam] of beams.entries()) {
      const row = logits[index];
      if (row === undefined) throw new Error('the decoder gave no logits for a sequence');
      scores.set(row);
      freeNow(row);
      const log_sum = logSumExp(scores);
      for (const [token, logit] of scores.entries()) scores[token] = logit - log_sum;
      for (const process of processors) process([...prompt_ids, ...beam.ids], scores);
      for (const [token, score] of scores.entries()) {
        const sum_logprobs = beam.sum_logprobs + score;
        if (sum_logprobs <= (best[kept - 1]?.sum_logprobs ?? -Infinity)) continue;
        const place = best.findIndex((other) => other.sum_logprobs < sum_logprobs);
        best.splice(place < 0 ? best.length : place, 0, { beam, token, sum_logprobs });
        best.length = Math.min(best.length, kept);
      }
    }
    return best;
  };
}
