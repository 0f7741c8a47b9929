import { basename } from 'node:path';
import type { Comparison, Parting } from './compare.ts';

/** A reference that is less sure than this of its token may be left there. */
const SURE = 0.3;
const MIN_COSINE = 0.995;
const MAX_FLOAT_ERROR = 1e-3;

/** What the two comparisons break of what the engine is held to, in words. */
export function failuresOf(ours: Comparison, float: Comparison): readonly string[] {
  const cosines = [ours.image_embeds, ours.first_logits].flatMap((agreement) => agreement.cosines);
  const errors = [float.image_embeds, float.first_logits].flatMap((agreement) => agreement.relative_errors);
  return [
    ...(cosines.every((cosine) => cosine >= MIN_COSINE) ? [] : [`A cosine is under ${MIN_COSINE}.`]),
    ...(errors.every((error) => error <= MAX_FLOAT_ERROR)
      ? []
      : [`With float activations a relative error is over ${MAX_FLOAT_ERROR}.`]),
    ...ours.partings.filter(isEarly).map((parting) => `The reference was sure: ${partingInWords(parting)}`),
  ];
}

function isEarly({ golden, step }: Parting): boolean {
  return golden.margins.slice(0, step + 1).every((margin) => margin >= SURE);
}

export function partingInWords({ golden: { file, prompt, margins }, step }: Parting): string {
  const margin = margins[step] ?? NaN;
  return `${basename(file)}, "${prompt}": parts at token ${step}, where the reference's margin is ${margin}`;
}
