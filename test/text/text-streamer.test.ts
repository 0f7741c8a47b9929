import { describe, expect, test } from 'vitest';
import { createTextStreamer } from '../../src/text/text-streamer.ts';
import { createTokenizer, type Tokenizer } from '../../src/text/tokenizer.ts';
import { createBundleTokenizer, randomNumbers, readFixture, type Encoding } from './fixtures.ts';

const bundle = createBundleTokenizer();
const encodings = readFixture('encodings.json') as Encoding[];

function stream(tokenizer: Tokenizer, ids: readonly number[]): string[] {
  const streamer = createTextStreamer(tokenizer);
  return [...ids.map((id) => streamer.push(id)), streamer.flush()];
}

describe('the pieces are the whole', () => {
  test.each(encodings)('$text', ({ text, plain }) => {
    const pieces = stream(bundle, plain);
    expect(pieces.join('')).toBe(text);
    if (!text.includes('\uFFFD')) expect(pieces.join('')).not.toContain('\uFFFD');
  });

  test('of any ids, invalid UTF-8 included', () => {
    const random = randomNumbers(11);
    for (let round = 0; round < 300; round++) {
      const ids = Array.from({ length: 12 }, () => Math.floor(random() * (round % 2 === 0 ? 4096 : 260)));
      expect(stream(bundle, ids).join('')).toBe(bundle.decode(ids));
    }
  });
});

test('a character comes when its last byte does', () => {
  const ids = bundle.encode('\u{1F600}!');
  expect(ids.length).toBeGreaterThan(3);
  const pieces = stream(bundle, ids);
  expect(pieces.filter((piece) => piece !== '')).toEqual(['\u{1F600}', '!']);
  expect(pieces.indexOf('\u{1F600}')).toBe(ids.length - 2);
});

test('flush gives what stayed incomplete', () => {
  const pieces = stream(bundle, bundle.encode('a\u{1F600}').slice(0, -1));
  expect(pieces[0]).toBe('a');
  expect(pieces.at(-1)).toBe('\uFFFD');
});

test('a decoder that strips the first space does so once', () => {
  const words = { '\u2581a': 0, '\u2581dog': 1, s: 2 };
  const sentencePiece = createTokenizer(
    {
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always', add_prefix_space: true },
      added_tokens: [],
      model: { type: 'BPE', vocab: words, merges: [] },
    },
    {},
  );
  expect(stream(sentencePiece, [0, 1, 2, 0])).toEqual(['a', ' dog', 's', ' a', '']);
});
