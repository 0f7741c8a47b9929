import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createTextStreamer } from '../../src/text/text-streamer.ts';
import { createTokenizer } from '../../src/text/tokenizer.ts';
import { randomNumbers } from './fixtures.ts';

interface Fixture {
  readonly tokenizer: unknown;
  readonly encodings: readonly {
    readonly text: string;
    readonly plain: number[];
    readonly decoded: string;
  }[];
  readonly parts: readonly { readonly text: string; readonly special: number[] }[];
  readonly wrapped: { readonly text: string; readonly ids: number[] };
  readonly noise: readonly { readonly ids: number[]; readonly decoded: string }[];
}

function read(name: string): Fixture {
  const url = new URL(`../fixtures/tokenizers/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as Fixture;
}

describe.each(['smollm2', 'qwen2', 'llama3', 'llama', 'llama-legacy', 'clip', 'siglip'])('%s', (name) => {
  const { tokenizer: json, encodings, parts, wrapped, noise } = read(name);
  const tokenizer = createTokenizer(json, {});
  const stream = (ids: readonly number[]): string => {
    const streamer = createTextStreamer(tokenizer);
    return [...ids.map((id) => streamer.push(id)), streamer.flush()].join('');
  };

  test.each(encodings)('encodes $text', ({ text, plain }) => {
    expect(tokenizer.encode(text)).toEqual(plain);
  });

  test.each(parts)('special tokens among text: $text', ({ text, special }) => {
    expect(tokenizer.encodeParts(tokenizer.splitSpecial(text))).toEqual(special);
  });

  test('puts around a text what its post_processor says', () => {
    expect(tokenizer.wrap(tokenizer.encode(wrapped.text))).toEqual(wrapped.ids);
  });

  if (name === 'clip') return; // of an encoder of text: there is nothing to decode

  test.each(encodings)('decodes $decoded', ({ plain, decoded }) => {
    expect(tokenizer.decode(plain)).toBe(decoded);
    expect(stream(plain)).toBe(decoded);
  });

  test.each(noise)('decodes $ids', ({ ids, decoded }) => {
    // Python tells of bytes that are no text each as U+FFFD; here it is as the Encoding Standard says.
    const once = (text: string): string => text.replace(/\uFFFD+/g, '\uFFFD');
    expect(once(tokenizer.decode(ids))).toBe(once(decoded));
    expect(stream(ids)).toBe(tokenizer.decode(ids));
  });

  test('the pieces of any ids are the whole', () => {
    const random = randomNumbers(5);
    for (let round = 0; round < 200; round++) {
      const ids = Array.from({ length: 12 }, () => Math.floor(random() * (round % 2 === 0 ? 600 : 280)));
      expect(stream(ids)).toBe(tokenizer.decode(ids));
    }
  });

  test('the bytes of tokens are those of their text', () => {
    for (const { plain, decoded } of encodings) {
      const bytes = plain.flatMap((id) => [...(tokenizer.bytes(id) ?? [])]);
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
      expect(tokenizer.byte_level ? text : text.replace(/^ /, '')).toBe(decoded);
    }
  });
});
