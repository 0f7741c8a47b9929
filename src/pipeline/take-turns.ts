import type { AnswerText, answerText } from './answer-text.ts';
import type { ChoiceDelta, LogprobEntry } from './conversation.ts';
import type { TokenLogprob, TokenLogprobs } from '../generation/logprobs.ts';
import { tokenText, type TokenText } from '../text/token-text.ts';
import type { Tokenizer } from '../text/tokenizer.ts';

/** Goes on with each answer in turn, a piece at a time. */
export async function takeTurns(
  answers: readonly ReturnType<typeof answerText>[],
  tokenizer: Tokenizer,
  onDelta: (delta: ChoiceDelta) => void | Promise<void>,
): Promise<{ readonly texts: AnswerText[]; readonly logprobs: readonly LogprobEntry[][] }> {
  const texts: AnswerText[] = [];
  const logprobs = answers.map((): LogprobEntry[] => []);
  const open = new Map(answers.entries());
  while (open.size > 0) {
    for (const [index, answer] of open) {
      const next = await answer.next();
      if (next.done) {
        open.delete(index);
        texts[index] = next.value;
        await onDelta({ index, text: '', logprobs: [], finish_reason: next.value.finish_reason });
      } else {
        const entries = next.value.logprobs.map((token) => logprobEntry(tokenizer, token));
        logprobs[index]?.push(...entries);
        await onDelta({ index, text: next.value.text, logprobs: entries, finish_reason: null });
      }
    }
  }
  return { texts, logprobs };
}

function logprobEntry(tokenizer: Tokenizer, { top, ...token }: TokenLogprobs): LogprobEntry {
  const told = ({ id, logprob }: TokenLogprob): TokenText & { logprob: number } => ({
    ...tokenText(tokenizer, id),
    logprob,
  });
  return { ...told(token), top_logprobs: top.map(told) };
}
