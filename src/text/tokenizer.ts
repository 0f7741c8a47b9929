import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import * as z from 'zod';
import { GlimpseError } from '../errors.ts';
import { byteLevelBytes } from './byte-level.ts';

/** A Hugging Face tokenizer (tokenizer.json), with text and special tokens kept apart. */
export interface Tokenizer {
  /** Special tokens by their text. */
  readonly special: ReadonlyMap<string, number>;
  /** The ids of plain text: what reads like a special token (`<|end|>`) stays text. */
  encode(text: string): number[];
  /** The text of ids; special tokens have none. Incomplete UTF-8 becomes U+FFFD. */
  decode(ids: readonly number[]): string;
  /** Whether tokens are bytes, so that a text's are those of its tokens one after the other. */
  readonly byte_level: boolean;
  /** The bytes that a token stands for, no whole characters perhaps; special tokens have none. */
  bytes(id: number): Uint8Array | undefined;
  /** Trusted text, such as a rendered chat template, cut at its special tokens: each becomes its id. */
  splitSpecial(text: string): (string | number)[];
}

const tokenizerSchema = z.looseObject({
  pre_tokenizer: z.looseObject({ type: z.string() }).nullable(),
  decoder: z.looseObject({ type: z.string() }).nullish(),
  added_tokens: z.array(
    z.looseObject({
      id: z.int().nonnegative(),
      content: z.string().min(1),
      special: z.boolean(),
      lstrip: z.boolean(),
      rstrip: z.boolean(),
    }),
  ),
  model: z.looseObject({
    // Its thousands of entries are not looked at one by one: the file's digest vouches for them.
    vocab: z.custom<Readonly<Record<string, number>>>((v) => v instanceof Object && !Array.isArray(v)),
    unk_token: z.string().nullish(),
  }),
});
type TokenizerJson = z.infer<typeof tokenizerSchema>;
type AddedToken = TokenizerJson['added_tokens'][number];

/**
 * @param tokenizerJson the content of tokenizer.json; its vocabulary is an object, as BPE's and WordPiece's are
 * @param tokenizerConfig the content of tokenizer_config.json
 * @throws GlimpseError bundle_invalid
 */
export function createTokenizer(tokenizerJson: unknown, tokenizerConfig: unknown): Tokenizer {
  const json = parseTokenizer(tokenizerJson);
  const specialTokens = json.added_tokens.filter((token) => token.special);
  const special = new Map(specialTokens.map((token) => [token.content, token.id]));
  const specialIds = new Set(special.values());
  const pattern = specialPattern(specialTokens);
  const plain = createPlainTokenizer(json, special, tokenizerConfig);
  const byte_level = json.decoder?.type === 'ByteLevel';
  const added = new Map(json.added_tokens.map((token) => [token.id, token.content]));
  const isText = (id: number): boolean => !specialIds.has(id) && plain.id_to_token(id) !== undefined;

  function decode(ids: readonly number[]): string {
    const textIds = ids.filter(isText);
    // As transformers does for BPE, whatever the config says: cleaning up would corrupt the text.
    return textIds.length === 0 ? '' : plain.decode(textIds, { clean_up_tokenization_spaces: false });
  }

  return {
    special,
    encode: (text) => (text === '' ? [] : plain.encode(text, { add_special_tokens: false }).ids),
    decode,
    byte_level,
    bytes(id) {
      if (!isText(id)) return undefined;
      if (!byte_level || added.has(id)) return new TextEncoder().encode(added.get(id) ?? decode([id]));
      return byteLevelBytes(plain.id_to_token(id) ?? '');
    },
    splitSpecial: (text) =>
      text
        .split(pattern)
        .map((part, index) =>
          index % 2 === 0 ? part : (special.get(part) ?? special.get(part.trim()) ?? part),
        )
        .filter((part) => part !== ''),
  };
}

function parseTokenizer(tokenizerJson: unknown): TokenizerJson {
  const parsed = tokenizerSchema.safeParse(tokenizerJson);
  if (parsed.success) return parsed.data;
  throw new GlimpseError('bundle_invalid', `tokenizer.json: ${z.prettifyError(parsed.error)}`, {
    cause: parsed.error,
  });
}

/** Matches each special token, with the whitespace it swallows, in the one capture group. */
function specialPattern(tokens: readonly AddedToken[]): RegExp {
  const alternatives = tokens
    .toSorted((a, b) => b.content.length - a.content.length)
    .map(({ content, lstrip, rstrip }) => {
      const literal = content.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
      return `${lstrip ? '\\s*' : ''}${literal}${rstrip ? '\\s*' : ''}`;
    });
  return new RegExp(`(${alternatives.join('|') || '(?!)'})`, 'u');
}

/** The tokenizer as if it had no special tokens: text cannot reach their ids. */
function createPlainTokenizer(
  json: TokenizerJson,
  special: ReadonlyMap<string, number>,
  tokenizerConfig: unknown,
): HuggingFaceTokenizer {
  const { vocab, unk_token } = json.model;
  const textVocab = Object.entries(vocab).filter(([token]) => !special.has(token) || token === unk_token);
  const plainJson = {
    ...json,
    pre_tokenizer: splitAsPython(json.pre_tokenizer),
    post_processor: null,
    added_tokens: json.added_tokens.filter((token) => !token.special),
    model: { ...json.model, vocab: Object.fromEntries(textVocab) },
  };
  try {
    return new HuggingFaceTokenizer(plainJson, z.looseObject({}).parse(tokenizerConfig));
  } catch (cause) {
    throw new GlimpseError('bundle_invalid', 'tokenizer.json and tokenizer_config.json make no tokenizer', {
      cause,
    });
  }
}

/**
 * ByteLevel's own pattern in the library takes JavaScript's whitespace, which has U+FEFF and lacks
 * U+0085; its Split takes Unicode's, as the Python tokenizer does. (Pattern: GPT-2's encoder.py.)
 */
function splitAsPython(preTokenizer: TokenizerJson['pre_tokenizer']): unknown {
  if (preTokenizer?.type !== 'ByteLevel') return preTokenizer;
  if (preTokenizer.use_regex === false || preTokenizer.add_prefix_space === true) return preTokenizer;
  const Regex = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
  return {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false },
      { ...preTokenizer, use_regex: false },
    ],
  };
}
