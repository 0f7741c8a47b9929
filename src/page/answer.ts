import { ask, type AskOptions } from './ask.ts';
import { classify } from './classify.ts';
import type { Photo } from './photo.ts';
import type { Timed } from './timings-bar.ts';
import { percent, type Turn } from './turn.ts';

/** Asks, and shows in the turn what is answered. */
type Answer = (turn: Turn, question: string, photo: Photo, options: AskOptions) => Promise<Answered>;
export type Answered = Timed & { readonly spoken: string };

/** By a model that writes. */
export const tell: Answer = async (turn, question, photo, options) => {
  const answer = await ask(photo, question, options);
  turn.ends(answer);
  return { ...answer, spoken: answer.answer };
};

/** By one that chooses between labels. */
export const choose: Answer = async (turn, labels, photo, { signal }) => {
  const found = await classify(photo, labels, signal);
  turn.chooses(found);
  const classes = found.classes.map(({ label, probability }) => `${label}: ${percent(probability)}`);
  return { ...found, spoken: `${classes.join(', ')}.` };
};
