import { readFile } from 'node:fs/promises';
import { NO_REQUEST } from '../../src/node.ts';
import type { ImageInput, Pipeline } from '../../src/pipeline/pipeline.ts';
import type { Photo, Question } from './dataset.ts';
import type { CaptionPair } from './ngrams.ts';
import { words } from './words.ts';

/** The references' prompt: goldens.json was made with it. */
const PROMPT = 'Describe the image.';

export interface PhotoAnswers {
  readonly caption: CaptionPair;
  readonly questions: readonly { readonly kind: Question['kind']; readonly correct: boolean }[];
}

/** Describes the photo and answers its questions, each as a query of its own; the vision stage runs for the first. */
export async function answerPhoto(
  pipeline: Pipeline,
  { path, references, questions }: Photo,
  num_beams: number,
): Promise<PhotoAnswers> {
  const ask = (image: ImageInput, prompt: string) =>
    pipeline.ask({ image, prompt, generation: { num_beams }, ...NO_REQUEST });

  const bytes = new Uint8Array(await readFile(path));
  const { answer, image: handle } = await ask({ bytes }, PROMPT);
  const answered = [];
  for (const { question, answer: expected, kind } of questions) {
    const { answer } = await ask({ handle }, question);
    answered.push({ kind, correct: answer === expected });
  }
  return { caption: { candidate: words(answer), references }, questions: answered };
}
