import * as z from 'zod';
import { GlimpseError } from '../errors.ts';

const step = z.looseObject({ type: z.string() });

const schema = z.looseObject({
  normalizer: step.nullish(),
  pre_tokenizer: step.nullable(),
  post_processor: z.unknown(),
  decoder: step.nullish(),
  added_tokens: z.array(
    z.looseObject({
      id: z.int().nonnegative(),
      content: z.string().min(1),
      special: z.boolean(),
      lstrip: z.boolean(),
      rstrip: z.boolean(),
    }),
  ),
  model: z
    .looseObject({
      type: z.string().nullish(),
      // Its thousands of entries are not looked at one by one: the file's digest vouches for them.
      vocab: z.custom<Vocabulary>((v) => v instanceof Object && (!Array.isArray(v) || Array.isArray(v[0]))),
      unk_token: z.string().nullish(),
      unk_id: z.int().nullish(),
      byte_fallback: z.boolean().nullish(),
      end_of_word_suffix: z.string().nullish(),
    })
    .refine(({ type, vocab }) => Array.isArray(vocab) === (type === 'Unigram'), {
      error: 'a vocabulary is a list for Unigram and an object for others',
    }),
});

/** BPE's and WordPiece's ids by token, or Unigram's tokens and scores by id. */
export type Vocabulary = Readonly<Record<string, number>> | readonly (readonly [string, number])[];
export type TokenizerJson = z.infer<typeof schema>;
export type AddedToken = TokenizerJson['added_tokens'][number];

/** @throws GlimpseError bundle_invalid */
export function parseTokenizerJson(content: unknown): TokenizerJson {
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new GlimpseError('bundle_invalid', `tokenizer.json: ${z.prettifyError(parsed.error)}`, {
    cause: parsed.error,
  });
}

/**
 * The model without its special tokens: text cannot reach their ids. Unigram's ids are places in a list, so
 * there a lone surrogate stands in a special token's place, which no well-formed text has.
 */
export function withoutSpecial(
  model: TokenizerJson['model'],
  special: ReadonlyMap<string, number>,
): TokenizerJson['model'] {
  const { vocab, unk_token, unk_id } = model;
  if (isList(vocab)) {
    const ids = new Set(special.values());
    const hidden = (id: number): boolean => ids.has(id) && id !== unk_id;
    return {
      ...model,
      vocab: vocab.map(([token, score], id) => [hidden(id) ? `\uD800${id}` : token, score] as const),
    };
  }
  const text = Object.entries(vocab).filter(([token]) => !special.has(token) || token === unk_token);
  return { ...model, vocab: Object.fromEntries(text) };
}

const isList = (vocab: Vocabulary): vocab is Extract<Vocabulary, readonly unknown[]> => Array.isArray(vocab);
