import * as z from 'zod';
import type { TokenizerJson } from './tokenizer-json.ts';

type Normalizer = NonNullable<TokenizerJson['normalizer']>;

const several = z.object({ normalizers: z.array(z.looseObject({ type: z.string() })) });

/** A normalizer that the library takes as Python's does: its Strip takes U+FEFF for whitespace, and U+0085 not. */
export function normalizerAsPython(step: Normalizer | null | undefined): Normalizer | null {
  switch (step?.type) {
    case 'Sequence':
      return { ...step, normalizers: several.parse(step).normalizers.map(normalizerAsPython) };
    case 'Strip': {
      const ends = [
        step.strip_left === true ? ['\\A\\s+'] : [],
        step.strip_right === true ? ['\\s+\\z'] : [],
      ].flat();
      return { type: 'Replace', pattern: { Regex: ends.join('|') || '(?!)' }, content: '' };
    }
    default:
      return step ?? null;
  }
}
