import type { BeamHypothesis } from '../generation/beam-hypotheses.ts';
import { beamSearch } from '../generation/beam-search.ts';
import type { GenerationConfig } from '../generation/config.ts';
import { generate, type FinishReason, type GeneratedToken } from '../generation/generate.ts';
import type { TokenLogprobs } from '../generation/logprobs.ts';
import type { PromptSequence } from '../generation/sequence.ts';
import type { TokenConstraint } from '../generation/token-constraint.ts';
import type { Decoder } from '../model/types.ts';
import { createStopStrings } from '../text/stop-strings.ts';
import { createTextStreamer } from '../text/text-streamer.ts';
import type { Tokenizer } from '../text/tokenizer.ts';

/** A piece of an answer, and of the tokens that it is made of those not told yet. */
export interface TextDelta {
  readonly text: string;
  readonly logprobs: readonly TokenLogprobs[];
}

export interface AnswerText {
  readonly text: string;
  readonly finish_reason: FinishReason;
  /** Tokens decided, those of a stop string included, the end-of-sequence token not. */
  readonly completion_tokens: number;
}

export interface AnswerTextOptions {
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
  readonly config: GenerationConfig;
  readonly constraint: TokenConstraint | undefined;
  readonly signal: AbortSignal;
  readonly onToken: () => void;
}

/** Decodes an answer token by token into text, up to its end or its first stop string. */
export async function* answerText(
  prompt: PromptSequence,
  { decoder, tokenizer, config, constraint, signal, onToken }: AnswerTextOptions,
): AsyncGenerator<TextDelta, AnswerText> {
  const tokens =
    config.num_beams > 1
      ? replay(await beamSearch(decoder, prompt, config, signal, constraint))
      : generate(decoder, prompt, config, signal, constraint);
  const streamer = createTextStreamer(tokenizer);
  const stops = createStopStrings(config.stop_strings);
  const told = createLogprobsQueue();
  let text = '';
  let completion_tokens = 0;

  for (;;) {
    const next = await tokens.next();
    const piece = next.done ? streamer.flush() : streamer.push(next.value.id);
    if (!next.done) {
      completion_tokens += 1;
      onToken();
      told.push(next.value.logprobs, piece.length);
    }
    const { text: kept, stopped } = stops.push(piece);
    const delta = next.done && !stopped ? kept + stops.flush() : kept;
    text += delta;
    const logprobs = told.upTo(text.length);
    if (delta !== '') yield { text: delta, logprobs };
    if (stopped) return { text, finish_reason: 'stop', completion_tokens };
    if (next.done) return { text, finish_reason: next.value, completion_tokens };
  }
}

/** A finished sequence as if it came token by token. */
function* replay({ ids, finish_reason }: BeamHypothesis): Generator<GeneratedToken, FinishReason> {
  yield* ids.map((id) => ({ id, logprobs: null }));
  return finish_reason;
}

/** Holds tokens' log-probabilities until their text is told: a stop string may still cut it off. */
function createLogprobsQueue(): {
  push(logprobs: TokenLogprobs | null, characters: number): void;
  upTo(characters: number): TokenLogprobs[];
} {
  const queue: { readonly logprobs: TokenLogprobs; readonly from: number }[] = [];
  let from = 0;
  return {
    push(logprobs, characters) {
      if (logprobs) queue.push({ logprobs, from });
      from += characters;
    },
    upTo(characters) {
      const held = queue.findIndex((token) => token.from >= characters);
      return queue.splice(0, held < 0 ? queue.length : held).map(({ logprobs }) => logprobs);
    },
  };
}
