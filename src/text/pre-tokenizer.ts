import * as z from 'zod';
import { GlimpseError } from '../errors.ts';
import type { TokenizerJson } from './tokenizer-json.ts';

type PreTokenizer = NonNullable<TokenizerJson['pre_tokenizer']>;

/** GPT-2's encoder.py. */
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/**
 * A pre_tokenizer that the library takes as Python's does. Of its steps it takes a Split by Regex as Python
 * does, and of others:
 * - ByteLevel's own pattern takes JavaScript's whitespace, which has U+FEFF and lacks U+0085;
 * - Digits are ASCII's alone;
 * - Metaspace does not split;
 * - Split knows no behaviour but Removed and Isolated.
 * @throws GlimpseError bundle_invalid
 */
export function preTokenizerAsPython(step: PreTokenizer | null): PreTokenizer | null {
  switch (step?.type) {
    case 'Sequence':
      return { ...step, pretokenizers: parts.parse(step).pretokenizers.map(preTokenizerAsPython) };
    case 'ByteLevel': {
      if (step.use_regex === false || step.add_prefix_space === true) return step;
      return sequence(isolated(GPT2), { ...step, use_regex: false });
    }
    case 'Digits':
      return isolated(step.individual_digits === true ? '\\p{N}' : '\\p{N}+');
    case 'Metaspace': {
      const { replacement, split, prepend_scheme } = metaspace.parse(step);
      const spaced = { ...step, prepend_scheme: prepend_scheme === 'first' ? 'never' : prepend_scheme };
      return split ? sequence(spaced, merged(replacement, 'MergedWithNext')) : spaced;
    }
    case 'Split': {
      const { behavior, pattern, invert } = splitting.parse(step);
      if (invert || behavior === 'Removed' || behavior === 'Isolated') return step;
      if ('String' in pattern && /^.$/su.test(pattern.String)) return merged(pattern.String, behavior);
      throw new GlimpseError(
        'bundle_invalid',
        `tokenizer.json: a Split that is ${behavior} is not known here`,
      );
    }
    default:
      return step;
  }
}

/** Whether only what stands at a prompt's beginning gets a space before it, which the library cannot know. */
export function spacesFirstWord({ pre_tokenizer, normalizer }: TokenizerJson): boolean {
  if (pre_tokenizer?.type !== 'Metaspace' || pre_tokenizer.prepend_scheme !== 'first') return false;
  if (!normalizer) return true;
  throw new GlimpseError(
    'bundle_invalid',
    'tokenizer.json: prepend_scheme "first" with a normalizer is not known here',
  );
}

const parts = z.object({ pretokenizers: z.array(z.looseObject({ type: z.string() })) });

/** Older files have add_prefix_space in place of prepend_scheme. */
const metaspace = z
  .object({
    replacement: z.string().default('\u2581'),
    split: z.boolean().default(true),
    prepend_scheme: z.enum(['always', 'first', 'never']).optional(),
    add_prefix_space: z.boolean().default(true),
  })
  .transform(({ add_prefix_space, ...step }) => ({
    ...step,
    prepend_scheme: step.prepend_scheme ?? (add_prefix_space ? 'always' : 'never'),
  }));

const splitting = z.object({
  behavior: z.enum(['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']),
  pattern: z.union([z.object({ String: z.string() }), z.object({ Regex: z.string() })]),
  invert: z.boolean().default(false),
});

const sequence = (...pretokenizers: readonly PreTokenizer[]): PreTokenizer => ({
  type: 'Sequence',
  pretokenizers,
});

const isolated = (Regex: string): PreTokenizer => ({
  type: 'Split',
  pattern: { Regex },
  behavior: 'Isolated',
  invert: false,
});

/** Cuts at a character, which stays with what is before or behind it, or with others like it. */
function merged(
  character: string,
  behavior: 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous',
): PreTokenizer {
  const one = `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  const patterns = {
    MergedWithPrevious: `[^${one}]*${one}|[^${one}]+`,
    MergedWithNext: `${one}[^${one}]*|[^${one}]+`,
    Contiguous: `${one}+|[^${one}]+`,
  };
  return isolated(patterns[behavior]);
}
