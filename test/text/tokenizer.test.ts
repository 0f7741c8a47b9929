import { describe, expect, test } from 'vitest';
import { createTokenizer } from '../../src/text/tokenizer.ts';
import { createBundleTokenizer, readBundle, readFixture, type Encoding } from './fixtures.ts';

const tokenizer = createBundleTokenizer();
const encodings = readFixture('encodings.json') as Encoding[];

describe('as Python tokenizers', () => {
  test.each(encodings)('encodes $text', ({ text, plain, special }) => {
    expect(tokenizer.encode(text)).toEqual(plain);
    const parts = tokenizer.splitSpecial(text);
    expect(parts.flatMap((part) => (typeof part === 'number' ? part : tokenizer.encode(part)))).toEqual(
      special,
    );
  });

  test.each(encodings)('decodes $text', ({ text, plain }) => {
    expect(tokenizer.decode(plain)).toBe(text);
  });
});

describe('takes for whitespace what Python takes', () => {
  const { tokenizer: json, encodings } = readFixture('whitespace.json') as {
    tokenizer: unknown;
    encodings: Encoding[];
  };
  const merging = createTokenizer(json, {});
  test.each(encodings)('$text', ({ text, plain }) => {
    expect(merging.encode(text)).toEqual(plain);
  });
});

test('plain text never reaches a special token', () => {
  const ids = new Set(tokenizer.special.values());
  expect(ids.size).toBe(6);
  for (const { text } of encodings) expect(tokenizer.encode(text).filter((id) => ids.has(id))).toEqual([]);
});

test('special tokens and ids that no token has decode to nothing', () => {
  expect(tokenizer.decode([2, 305, 99999, 19, 3])).toBe('Yes.');
  expect(tokenizer.decode([3])).toBe('');
});

test('a special token swallows whitespace as it says', () => {
  const json = readBundle('tokenizer.json') as { added_tokens: { content: string }[] };
  const added_tokens = json.added_tokens.map((token) => ({
    ...token,
    lstrip: token.content === '<image>',
    rstrip: token.content === '<|end|>',
  }));
  const stripping = createTokenizer({ ...json, added_tokens }, readBundle('tokenizer_config.json'));
  expect(stripping.splitSpecial('a <|end|> b <image> c')).toEqual(['a ', 3, 'b', 4, ' c']);
});

test.each([[null], [{}], [{ ...readBundle('tokenizer.json'), model: { vocab: [['a', -1]] } }]])(
  'what is no tokenizer is refused: %#',
  (json) => {
    expect(() => createTokenizer(json, {})).toThrow(
      expect.objectContaining({ code: 'bundle_invalid' }) as Error,
    );
  },
);
