/** As many ids as the prompt of the 256M shape has with an image's, in both vocabularies. */
export const PROMPT_IDS: readonly number[] = Array.from({ length: 92 }, (_, i) => 300 + 11 * i);
export const ANSWER_TOKENS = 24;
