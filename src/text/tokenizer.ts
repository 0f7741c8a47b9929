import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import * as z from 'zod';
import { GlimpseError } from '../errors.ts';
import { fallbackByte, fuseBytes } from './byte-fallback.ts';
import { byteLevelBytes } from './byte-level.ts';
import { normalizerAsPython } from './normalizer.ts';
import { affixesOf } from './post-processor.ts';
import { preTokenizerAsPython, spacesFirstWord } from './pre-tokenizer.ts';
import { parseTokenizerJson, withoutSpecial, type AddedToken, type TokenizerJson } from './tokenizer-json.ts';

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
  /** The ids of plain texts and special tokens in a row: only the first begins a text. */
  encodeParts(parts: readonly (string | number)[]): number[];
  /** The ids of a text with the special tokens that the tokenizer puts around every one (`<s>`). */
  wrap(ids: readonly number[]): number[];
}

/**
 * @param tokenizerJson the content of tokenizer.json
 * @param tokenizerConfig the content of tokenizer_config.json
 * @throws GlimpseError bundle_invalid
 */
export function createTokenizer(tokenizerJson: unknown, tokenizerConfig: unknown): Tokenizer {
  const json = parseTokenizerJson(tokenizerJson);
  const specialTokens = json.added_tokens.filter((token) => token.special);
  const special = new Map(specialTokens.map((token) => [token.content, token.id]));
  const specialIds = new Set(special.values());
  const pattern = specialPattern(specialTokens);
  const plain = createPlainTokenizer(json, special, tokenizerConfig);
  const { byte_fallback } = json.model; // no function below holds the file: its vocabulary is megabytes
  const byte_level = json.decoder?.type === 'ByteLevel' && !json.model.end_of_word_suffix;
  const added = new Map(json.added_tokens.map((token) => [token.id, token.content]));
  const affixes = affixesOf(json.post_processor);
  const spacesFirst = spacesFirstWord(json);
  const isText = (id: number): boolean => !specialIds.has(id) && plain.id_to_token(id) !== undefined;

  function encodePart(text: string, isFirst: boolean): number[] {
    if (text === '') return [];
    const spaced = isFirst && spacesFirst && !/^[ \u2581]/.test(text) ? ` ${text}` : text;
    return plain.encode(spaced.toWellFormed(), { add_special_tokens: false }).ids;
  }

  function decode(ids: readonly number[]): string {
    const textIds = ids.filter(isText);
    if (textIds.length === 0) return '';
    if (byte_fallback && plain.decoder) {
      return plain.decoder.decode(fuseBytes(textIds.map((id) => plain.id_to_token(id) ?? '')));
    }
    // As transformers does for BPE, whatever the config says: cleaning up would corrupt the text.
    return plain.decode(textIds, { clean_up_tokenization_spaces: false });
  }

  function bytes(id: number): Uint8Array | undefined {
    if (!isText(id)) return undefined;
    const token = plain.id_to_token(id) ?? '';
    const own = added.get(id);
    if (own !== undefined) return new TextEncoder().encode(own);
    if (byte_level) return byteLevelBytes(token);
    const byte = byte_fallback ? fallbackByte(token) : undefined;
    // A decoder would take the space off a text's beginning.
    const text = token.includes('\u2581') ? token.replaceAll('\u2581', ' ') : decode([id]);
    return byte === undefined ? new TextEncoder().encode(text) : Uint8Array.of(byte);
  }

  return {
    special,
    encode: (text) => encodePart(text, true),
    decode,
    byte_level,
    bytes,
    splitSpecial: (text) =>
      text
        .split(pattern)
        .map((part, index) =>
          index % 2 === 0 ? part : (special.get(part) ?? special.get(part.trim()) ?? part),
        )
        .filter((part) => part !== ''),
    encodeParts: (parts) =>
      parts.flatMap((part, index) => (typeof part === 'number' ? part : encodePart(part, index === 0))),
    wrap: (ids) => [...affixes.before, ...ids, ...affixes.behind],
  };
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

/** The tokenizer as if it had no special tokens. */
function createPlainTokenizer(
  json: TokenizerJson,
  special: ReadonlyMap<string, number>,
  tokenizerConfig: unknown,
): HuggingFaceTokenizer {
  const { merges } = json.model;
  const plainJson = {
    ...json,
    normalizer: normalizerAsPython(json.normalizer),
    pre_tokenizer: preTokenizerAsPython(json.pre_tokenizer),
    post_processor: null,
    added_tokens: json.added_tokens.filter((token) => !token.special),
    model: {
      ...withoutSpecial(json.model, special),
      ...(Array.isArray(merges) && { merges: merges.map(pairOf) }),
    },
  };
  try {
    const tokenizer = new HuggingFaceTokenizer(plainJson, z.looseObject({}).parse(tokenizerConfig));
    forgetSource(plainJson.model);
    return tokenizer;
  } catch (cause) {
    throw new GlimpseError('bundle_invalid', 'tokenizer.json and tokenizer_config.json make no tokenizer', {
      cause,
    });
  }
}

/** Before transformers 4.45 a merge was written as `left right`; of these the library would keep its own pairs. */
function pairOf(merge: unknown): unknown {
  return typeof merge === 'string' ? merge.split(' ', 2) : merge;
}

/** The library keeps the file that it has read all of: 8 MB of the 19 that SmolVLM's tokenizer would hold. */
function forgetSource(model: TokenizerJson['model']): void {
  if (Array.isArray(model.merges)) model.merges.length = 0;
  model.vocab = {};
}
