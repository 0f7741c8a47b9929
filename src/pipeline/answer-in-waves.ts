import type { PromptSequence } from '../generation/sequence.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { AnswerText, answerText } from './answer-text.ts';
import type { ChoiceDelta, LogprobEntry } from './conversation.ts';
import { forkPrompt } from './prefill.ts';
import { takeTurns } from './take-turns.ts';

export interface Waves {
  readonly count: number;
  /** How many answers go on in turns: as many as there is memory for. */
  readonly at_once: number;
  /** Positions that an answer may take. */
  readonly room: number;
}

/** Several answers to a prompt of which all but the last token was read, some at a time. */
export async function answerInWaves(
  prompt: PromptSequence,
  { count, at_once, room }: Waves,
  answer: (sequence: PromptSequence, index: number) => ReturnType<typeof answerText>,
  tokenizer: Tokenizer,
  onDelta: (delta: ChoiceDelta) => void | Promise<void>,
): Promise<{ readonly texts: readonly AnswerText[]; readonly logprobs: readonly LogprobEntry[][] }> {
  const texts: AnswerText[] = [];
  const logprobs: LogprobEntry[][] = [];
  for (let first = 0; first < count; first += at_once) {
    const sequences = forkPrompt(prompt, Math.min(at_once, count - first), room);
    try {
      const answers = sequences.map((sequence, i) => answer(sequence, first + i));
      const wave = await takeTurns(answers, tokenizer, (delta) =>
        onDelta({ ...delta, index: first + delta.index }),
      );
      texts.push(...wave.texts);
      logprobs.push(...wave.logprobs);
    } finally {
      for (const { past_key_values } of sequences) past_key_values.release();
    }
  }
  return { texts, logprobs };
}
