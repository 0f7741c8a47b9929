import type { PhotoAnswers } from './answers.ts';
import { bleu } from './bleu.ts';
import { cider } from './cider.ts';
import { rougeL } from './rouge.ts';

/** In points of 100: the captions' scores, then by the questions' kinds how many were answered word for word. */
export type Figures = Readonly<Record<string, number>>;

export function figuresOf(photos: readonly PhotoAnswers[]): Figures {
  const captions = photos.map(({ caption }) => caption);
  const scores = Object.fromEntries(bleu(captions).map((score, i) => [`bleu_${i + 1}`, score]));
  const figures = { ...scores, rouge_l: rougeL(captions), cider: cider(captions), ...accuracies(photos) };
  return Object.fromEntries(Object.entries(figures).map(([name, score]) => [name, points(score)]));
}

function accuracies(photos: readonly PhotoAnswers[]): Readonly<Record<string, number>> {
  const kinds = Map.groupBy(
    photos.flatMap(({ questions }) => questions),
    ({ kind }) => kind,
  );
  return Object.fromEntries(
    Array.from(kinds, ([kind, all]) => [kind, all.filter(({ correct }) => correct).length / all.length]),
  );
}

function points(score: number): number {
  return Math.round(score * 10_000) / 100;
}
