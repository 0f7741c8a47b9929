/**
 * Grammars over bytes, read one byte at a time. Text is held as binary strings: a character a byte.
 * Building blocks are in this file, those of JSON beside it.
 */

/** A point in a grammar that waits for a byte, with all that must come after it. */
export interface Place {
  /** Places of the same key go on alike. */
  readonly key: string;
  /** Where that byte leads: to several places if what comes next is open, to none if it cannot come. */
  next(byte: number): readonly Place[];
  /** The shortest text, or nearly, that completes the whole. */
  readonly shortest: string;
}

/** What must come after a grammar. */
export interface Rest {
  readonly key: string;
  enter(): readonly Place[];
  readonly shortest: string;
}

export interface Grammar {
  /** The places before its first byte. */
  enter(rest: Rest): readonly Place[];
  /** The shortest text that it takes. */
  readonly shortest: string;
  /** How many grammars it chooses between, those within its options counted; absent: it is no choice. */
  readonly alternatives?: number;
}

/** Where nothing is missing. */
export const COMPLETE: Place = { key: '', next: () => [], shortest: '' };

/** Nothing comes after. */
export const END: Rest = { key: '', enter: () => [COMPLETE], shortest: '' };

let grammars = 0;

/** Tells grammars apart in the keys of places. */
export function grammarId(): number {
  return ++grammars;
}

export function literal(text: string): Grammar {
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
  const at = (index: number, rest: Rest): readonly Place[] => {
    if (index === bytes.length) return rest.enter();
    const left = bytes.slice(index);
    const key = `${left.length}"${left}|${rest.key}`;
    const next = (byte: number): readonly Place[] =>
      byte === bytes.charCodeAt(index) ? at(index + 1, rest) : [];
    return [{ key, next, shortest: left + rest.shortest }];
  };
  return { shortest: bytes, enter: (rest) => at(0, rest) };
}

/** One of several. */
export function choice(...options: readonly Grammar[]): Grammar {
  const different = [...new Set(options)];
  return {
    shortest: different.map(({ shortest }) => shortest).reduce((a, b) => (b.length < a.length ? b : a)),
    alternatives: different.reduce((sum, option) => sum + (option.alternatives ?? 1), 0),
    enter: (rest) => different.flatMap((option) => option.enter(rest)),
  };
}

/** One after the other. */
export function sequence(...parts: readonly Grammar[]): Grammar {
  const id = grammarId();
  const shortestFrom = parts.map((_, index) =>
    parts
      .slice(index)
      .map(({ shortest }) => shortest)
      .join(''),
  );
  const from = (index: number, rest: Rest): readonly Place[] =>
    parts[index]?.enter({
      key: `${id}.${index}|${rest.key}`,
      enter: () => from(index + 1, rest),
      shortest: (shortestFrom[index + 1] ?? '') + rest.shortest,
    }) ?? rest.enter();
  return { shortest: shortestFrom[0] ?? '', enter: (rest) => from(0, rest) };
}

const OPTIONAL_SPACE = choice(literal(''), literal(' '));
export const COMMA = sequence(literal(','), OPTIONAL_SPACE);
export const COLON = sequence(literal(':'), OPTIONAL_SPACE);

/** `open`, items with commas between them, `close`. */
export function list(open: string, item: Grammar, close: string, min = 0, max = Infinity): Grammar {
  const id = grammarId();
  const opening = literal(open);
  const closing = literal(close);
  const following = sequence(COMMA, item);
  const missing = (count: number): string => `,${item.shortest}`.repeat(Math.max(0, min - count));
  const after = (count: number, rest: Rest): Rest => ({
    // Counting ends where it makes no more difference.
    key: `${id}.${max === Infinity ? Math.min(count, Math.max(min, 1)) : count}|${rest.key}`,
    enter: () => [
      ...(count >= min ? closing.enter(rest) : []),
      ...(count < max ? (count === 0 ? item : following).enter(after(count + 1, rest)) : []),
    ],
    shortest: missing(count).slice(count === 0 ? 1 : 0) + close + rest.shortest,
  });
  return {
    shortest: open + missing(0).slice(1) + close,
    enter: (rest) => opening.enter(after(0, rest)),
  };
}
