import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Figures } from './figures.ts';

const goldens = z.object({
  dev: z.object({
    captions: z.object({ b1: z.number(), b4: z.number(), rougeL: z.number(), cider: z.number() }),
    questions: z.record(z.string(), z.number()),
  }),
});

/** How much lower than the reference a figure may be, in points. */
const TOLERANCE = 0.5;

/**
 * What the PyTorch reference, greedy and with float32 activations, reached on the same photos.
 * @param folder holds goldens.json
 */
export async function readReference(folder: string): Promise<Figures> {
  const { dev } = goldens.parse(JSON.parse(await readFile(join(folder, 'goldens.json'), 'utf8')));
  const { b1, b4, rougeL, cider } = dev.captions;
  return { bleu_1: b1, bleu_4: b4, rouge_l: rougeL, cider, ...dev.questions };
}

/** The names of those that are too far below the reference. */
export function tooLow(figures: Figures, reference: Figures): readonly string[] {
  return Object.entries(reference)
    .filter(([name, expected]) => !((figures[name] ?? -Infinity) >= expected - TOLERANCE))
    .map(([name]) => name);
}
