import { countNgrams, MAX_N, sum, type CaptionPair } from './ngrams.ts';

// As pycocoevalcap has them, so that nothing divides by zero.
const TINY = 1e-15;
const SMALL = 1e-9;

/**
 * Corpus BLEU-1 to BLEU-4 over several references, with the closest reference's length for the brevity penalty
 * (Papineni et al. 2002, as pycocoevalcap computes it).
 * @returns four numbers of 0 to 1
 */
export function bleu(pairs: readonly CaptionPair[]): readonly number[] {
  const length = sum(pairs.map(({ candidate }) => candidate.length));
  const closest = sum(pairs.map(closestLength));
  const ratio = (length + TINY) / (closest + SMALL);
  const brevity = ratio < 1 ? Math.exp(1 - 1 / ratio) : 1;

  let product = 1;
  return Array.from({ length: MAX_N }, (_, i) => {
    const n = i + 1;
    const correct = sum(pairs.map((pair) => matches(pair, n)));
    const guessed = sum(pairs.map(({ candidate }) => Math.max(0, candidate.length - i)));
    product *= (correct + TINY) / (guessed + SMALL);
    return brevity * product ** (1 / n);
  });
}

/** The candidate's n-grams, each at most as often as one reference has it. */
function matches({ candidate, references }: CaptionPair, n: number): number {
  const theirs = references.map((reference) => countNgrams(reference, n));
  const clipped = Array.from(countNgrams(candidate, n), ([ngram, count]) =>
    Math.min(count, Math.max(...theirs.map((counts) => counts.get(ngram) ?? 0))),
  );
  return sum(clipped);
}

/** Of two that are equally close, the shorter. */
function closestLength({ candidate, references }: CaptionPair): number {
  const away = (length: number) => Math.abs(length - candidate.length);
  const lengths = references.map(({ length }) => length).sort((a, b) => away(a) - away(b) || a - b);
  return lengths[0] ?? 0;
}
