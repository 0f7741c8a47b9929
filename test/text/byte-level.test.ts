import { expect, test } from 'vitest';
import { tokenText } from '../../src/text/token-text.ts';
import { createBundleTokenizer, readFixture, type Encoding } from './fixtures.ts';

const tokenizer = createBundleTokenizer();

test("the bytes of a text's tokens, one after the other, are the text's", () => {
  expect(tokenizer.byte_level).toBe(true);
  for (const { text, plain } of readFixture('encodings.json') as Encoding[]) {
    const bytes = plain.flatMap((id) => [...(tokenizer.bytes(id) ?? [])]);
    expect(bytes).toEqual([...new TextEncoder().encode(text)]);
  }
});

test('every byte has a token, so that every text can be written', () => {
  const single = new Set<number>();
  for (let id = 0; id < 4096; id++) {
    const [first, ...rest] = tokenizer.bytes(id) ?? [];
    if (first !== undefined && rest.length === 0) single.add(first);
  }
  expect(single.size).toBe(256);
});

test('a special token has a name and no bytes; part of a character has bytes and no name', () => {
  expect(tokenText(tokenizer, 3)).toEqual({ token: '<|end|>', bytes: null });
  const [first = -1] = tokenizer.encode('\u{1f600}');
  expect(tokenText(tokenizer, first)).toMatchObject({ token: '\uFFFD', bytes: [0xf0] });
  expect(tokenizer.bytes(4096)).toBeUndefined();
});
