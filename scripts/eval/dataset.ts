import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { referenceWords } from './words.ts';

const captionRows = z.array(z.object({ image: z.string(), caption: z.string() }));
const questionRows = z.array(
  z.object({ image: z.string(), question: z.string(), answer: z.string(), kind: z.string() }),
);

export type Question = z.infer<typeof questionRows>[number];

export interface Photo {
  readonly path: string;
  /** What people wrote about it, in words. */
  readonly references: readonly (readonly string[])[];
  readonly questions: readonly Question[];
}

/**
 * The photos in order of their names.
 * @param folder holds dev/*.jpg, dev_captions.csv (image, caption) and dev_questions.csv (image, question, answer, kind)
 */
export async function readDataset(folder: string): Promise<readonly Photo[]> {
  const captions = Map.groupBy(captionRows.parse(await readCsv(folder, 'dev_captions.csv')), byImage);
  const questions = Map.groupBy(questionRows.parse(await readCsv(folder, 'dev_questions.csv')), byImage);
  const images = (await readdir(join(folder, 'dev'))).filter((name) => name.endsWith('.jpg')).sort();
  return images.map((image) => ({
    path: join(folder, 'dev', image),
    references: (captions.get(image) ?? []).flatMap(({ caption }) => {
      const reference = referenceWords(caption);
      return reference ? [reference] : [];
    }),
    questions: questions.get(image) ?? [],
  }));
}

const byImage = ({ image }: { readonly image: string }): string => image;

async function readCsv(folder: string, name: string): Promise<unknown> {
  return parse(await readFile(join(folder, name)), { columns: true });
}
