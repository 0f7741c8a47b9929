/** Scored by all three: an answer and what people wrote, in words. */
export interface CaptionPair {
  readonly candidate: readonly string[];
  readonly references: readonly (readonly string[])[];
}

/** The longest n-grams that BLEU and CIDEr look at. */
export const MAX_N = 4;

/** How often each run of `n` words stands there. */
export function countNgrams(words: readonly string[], n: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= words.length; i++) {
    const ngram = words.slice(i, i + n).join(' ');
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return counts;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
