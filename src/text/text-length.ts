import { GlimpseError } from '../errors.ts';

/** Characters (UTF-16 code units) that a request may give to be tokenized: far more than any context of an isolate holds. */
export const MAX_TEXT_LENGTH = 131_072;

/**
 * Keeps what no context could hold from being tokenized, which takes an isolate's time and memory.
 * @throws GlimpseError context_length_exceeded
 */
export function requireTextLength(texts: readonly string[], param: string): void {
  const length = texts.reduce((sum, text) => sum + text.length + 1, 0); // an empty text is work, too
  if (length <= MAX_TEXT_LENGTH) return;
  throw new GlimpseError(
    'context_length_exceeded',
    `The text has some ${length} characters, and at most ${MAX_TEXT_LENGTH} are read: shorten it.`,
    { param },
  );
}
