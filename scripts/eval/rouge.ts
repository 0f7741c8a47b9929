import { mean, type CaptionPair } from './ngrams.ts';

/** Recall weighs this much more than precision. */
const BETA = 1.2;

/**
 * The mean ROUGE-L (Lin 2004) as pycocoevalcap computes it: of the best precision and the best recall among an
 * image's references.
 * @returns 0 to 1
 */
export function rougeL(pairs: readonly CaptionPair[]): number {
  return mean(pairs.map(rougeLOf));
}

function rougeLOf({ candidate, references }: CaptionPair): number {
  const common = references.map((reference) => longestCommonSubsequence(candidate, reference));
  const precision = Math.max(...common) / candidate.length;
  const recall = Math.max(...common.map((length, i) => length / (references[i]?.length ?? 1)));
  return recall > 0 ? ((1 + BETA ** 2) * precision * recall) / (recall + BETA ** 2 * precision) : 0;
}

function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0); // by how much of b
  for (const word of a) {
    const next = [0];
    b.forEach((other, j) => {
      next.push(other === word ? (row[j] ?? 0) + 1 : Math.max(next[j] ?? 0, row[j + 1] ?? 0));
    });
    row = next;
  }
  return row[b.length] ?? 0;
}
