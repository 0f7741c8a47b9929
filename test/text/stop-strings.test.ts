import { expect, test } from 'vitest';
import { createStopStrings } from '../../src/text/stop-strings.ts';
import { randomNumbers } from './fixtures.ts';

function cut(pieces: readonly string[], stopStrings: readonly string[]): { text: string; stopped: boolean } {
  const stops = createStopStrings(stopStrings);
  let text = '';
  for (const piece of pieces) {
    const result = stops.push(piece);
    text += result.text;
    if (result.stopped) return { text, stopped: true };
  }
  return { text: text + stops.flush(), stopped: false };
}

test.each([
  [['A dog', '. A cat'], ['.'], 'A dog', true],
  [['one\n', '\ntwo'], ['\n\n'], 'one', true],
  [['ab', 'ab', 'ac', 'x'], ['abac'], 'ab', true],
  [['abcd'], ['abcd', 'bc'], 'a', true],
  [['abc'], ['bc', 'abc'], '', true],
  [['held back at the e', 'n'], ['end'], 'held back at the en', false],
  [['nothing'], [], 'nothing', false],
])('%o cut at %o', (pieces, stopStrings, text, stopped) => {
  expect(cut(pieces, stopStrings)).toEqual({ text, stopped });
});

test('text is held back only while a stop string may begin in it', () => {
  const stops = createStopStrings(['STOP']);
  expect(stops.push('go ST')).toEqual({ text: 'go ', stopped: false });
  expect(stops.push('A')).toEqual({ text: 'STA', stopped: false });
  expect(stops.push('STO')).toEqual({ text: '', stopped: false });
  expect(stops.push('P now')).toEqual({ text: '', stopped: true });
});

test('where the pieces part changes nothing', () => {
  const random = randomNumbers(7);
  const word = (length: number): string =>
    Array.from({ length }, () => (random() < 0.5 ? 'a' : 'b')).join('');
  for (let round = 0; round < 2000; round++) {
    const text = word(16);
    const stopStrings = [word(1 + Math.floor(random() * 6)), word(1 + Math.floor(random() * 6))];
    const ends = stopStrings.map((stop) =>
      text.includes(stop) ? text.indexOf(stop) + stop.length : Infinity,
    );
    const end = Math.min(...ends);
    const starts = stopStrings.filter((_, i) => ends[i] === end).map((stop) => end - stop.length);
    const expected = end === Infinity ? text : text.slice(0, Math.min(...starts));
    const pieces = Array.from(text).reduce<string[]>(
      (parts, letter) =>
        random() < 0.4 ? [...parts, letter] : [...parts.slice(0, -1), parts.slice(-1).join('') + letter],
      [],
    );
    expect(cut(pieces, stopStrings)).toEqual({ text: expected, stopped: end !== Infinity });
  }
});
