import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bleu } from '../../scripts/eval/bleu.ts';
import { cider } from '../../scripts/eval/cider.ts';
import { rougeL } from '../../scripts/eval/rouge.ts';
import { referenceWords, words } from '../../scripts/eval/words.ts';

interface Corpus {
  readonly name: string;
  readonly pairs: readonly { readonly candidate: string; readonly references: readonly string[] }[];
  readonly scores: { readonly bleu: readonly number[]; readonly rouge_l: number; readonly cider: number };
}

const corpora = JSON.parse(readFileSync('test/fixtures/eval/scores.json', 'utf8')) as Corpus[];

describe.each(corpora)('$name', ({ pairs, scores }) => {
  const split = pairs.map(({ candidate, references }) => ({
    candidate: words(candidate),
    references: references.map(words),
  }));

  it('has the BLEU, ROUGE-L and CIDEr of pycocoevalcap', () => {
    const found = bleu(split);
    expect(found).toHaveLength(4);
    scores.bleu.forEach((score, n) => expect(found[n]).toBeCloseTo(score, 9));
    expect(rougeL(split)).toBeCloseTo(scores.rouge_l, 9);
    expect(cider(split)).toBeCloseTo(scores.cider, 9);
  });
});

it('splits an answer into lower-case words', () => {
  expect(words("A child's T-shirt, number 7 & more.")).toEqual([
    'a',
    "child's",
    't-shirt',
    'number',
    '7',
    'more',
  ]);
});

describe('a reference', () => {
  it('loses quotes and the space before punctuation', () => {
    expect(referenceWords('A man \'s dog , called "Rex" , runs . ')?.join(' ')).toBe(
      "a man's dog called rex runs",
    );
    expect(referenceWords("A sign that says ``stop'' .")?.join(' ')).toBe('a sign that says stop');
  });

  it('has at least three words', () => {
    expect(referenceWords('dogs racing')).toBeUndefined();
    expect(referenceWords('two dogs , racing .')).toEqual(['two', 'dogs', 'racing']);
  });
});
