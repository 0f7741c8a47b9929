import { countNgrams, MAX_N, mean, sum, type CaptionPair } from './ngrams.ts';

/** Of the penalty on a length unlike the reference's. */
const SIGMA = 6;

/** How much an n-gram says, by n-gram. */
type Idf = (ngram: string) => number;
type Vector = ReadonlyMap<string, number>;

/** A caption's tf-idf vectors for n = 1 to 4. */
interface Caption {
  readonly vectors: readonly Vector[];
  readonly norms: readonly number[];
  /** As pycocoevalcap takes it: in pairs of words. */
  readonly length: number;
}

/**
 * The mean CIDEr-D (Vedantam et al. 2015) as pycocoevalcap computes it, document frequencies from the
 * references themselves: figures of different sets of images do not compare.
 * @returns 0 to 10
 */
export function cider(pairs: readonly CaptionPair[]): number {
  const idf = inverseDocumentFrequency(pairs);
  return mean(
    pairs.map(({ candidate, references }) => {
      const caption = captionOf(candidate, idf);
      return 10 * mean(references.map((reference) => similarity(caption, captionOf(reference, idf))));
    }),
  );
}

function inverseDocumentFrequency(pairs: readonly CaptionPair[]): Idf {
  const frequency = new Map<string, number>();
  for (const { references } of pairs) {
    const ngrams = references.flatMap((reference) =>
      allNgrams(reference).flatMap((counts) => [...counts.keys()]),
    );
    for (const ngram of new Set(ngrams)) frequency.set(ngram, (frequency.get(ngram) ?? 0) + 1);
  }
  return (ngram) => Math.log(pairs.length) - Math.log(frequency.get(ngram) ?? 1);
}

function captionOf(words: readonly string[], idf: Idf): Caption {
  const vectors = allNgrams(words).map(
    (counts) => new Map(Array.from(counts, ([ngram, count]) => [ngram, count * idf(ngram)] as const)),
  );
  const norms = vectors.map((vector) => Math.sqrt(sum([...vector.values()].map((v) => v * v))));
  return { vectors, norms, length: Math.max(0, words.length - 1) };
}

function allNgrams(words: readonly string[]): readonly ReadonlyMap<string, number>[] {
  return Array.from({ length: MAX_N }, (_, i) => countNgrams(words, i + 1));
}

/** The mean over n of the clipped cosines, less the farther the lengths are apart. */
function similarity(candidate: Caption, reference: Caption): number {
  const cosines = candidate.vectors.map((vector, n) => {
    const other = reference.vectors[n];
    const dot = sum(
      Array.from(vector, ([ngram, value]) => {
        const theirs = other?.get(ngram) ?? 0;
        return Math.min(value, theirs) * theirs;
      }),
    );
    const norm = (candidate.norms[n] ?? 0) * (reference.norms[n] ?? 0);
    return norm > 0 ? dot / norm : 0;
  });
  return mean(cosines) * Math.exp(-((candidate.length - reference.length) ** 2) / (2 * SIGMA ** 2));
}
