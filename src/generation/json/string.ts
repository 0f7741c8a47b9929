import { grammarId, type Grammar, type Place, type Rest } from './grammar.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SIMPLE_ESCAPES = new Set(Array.from('"\\/bfnrt', (character) => character.charCodeAt(0)));

/**
 * A JSON string of min to max characters (Unicode code points, as JSON Schema counts them) in valid
 * UTF-8 (Unicode Standard, table 3-7). Without `\u`, which can write nothing but control characters
 * that cannot be written without it.
 */
export function string(min = 0, max = Infinity): Grammar {
  const id = grammarId();

  function inside(count: number, rest: Rest): Place {
    const more = count < max;
    return {
      key: `${id}.${max === Infinity ? Math.min(count, min) : count}|${rest.key}`,
      shortest: shortest(count) + rest.shortest,
      next(byte) {
        if (byte === QUOTE) return count >= min ? rest.enter() : [];
        if (!more || byte < 0x20) return [];
        if (byte === BACKSLASH) return [escaped(count + 1, rest)];
        if (byte < 0x80) return [inside(count + 1, rest)];
        const lead = LEADS.find(({ first, last }) => byte >= first && byte <= last);
        return lead ? [continued(lead.continuations, lead.low, lead.high, count + 1, rest)] : [];
      },
    };
  }

  function escaped(count: number, rest: Rest): Place {
    const after = inside(count, rest);
    return {
      key: `\\${after.key}`,
      shortest: `n${after.shortest}`,
      next: (byte) => (SIMPLE_ESCAPES.has(byte) ? [after] : []),
    };
  }

  /** Within a character: so many bytes are missing, the first of them from low to high. */
  function continued(missing: number, low: number, high: number, count: number, rest: Rest): Place {
    const after = missing === 1 ? inside(count, rest) : continued(missing - 1, 0x80, 0xbf, count, rest);
    return {
      key: `${low}-${high},${after.key}`,
      shortest: String.fromCharCode(low) + after.shortest,
      next: (byte) => (byte >= low && byte <= high ? [after] : []),
    };
  }

  const shortest = (count: number): string => `${'x'.repeat(Math.max(0, min - count))}"`;
  const opening = (rest: Rest): Place => ({
    key: `${id}"|${rest.key}`,
    shortest: `"${shortest(0)}${rest.shortest}`,
    next: (byte) => (byte === QUOTE ? [inside(0, rest)] : []),
  });
  return { shortest: `"${shortest(0)}`, enter: (rest) => [opening(rest)] };
}

/** First bytes of characters, how many bytes follow, and the range of the first that does. */
const LEADS = [
  { first: 0xc2, last: 0xdf, continuations: 1, low: 0x80, high: 0xbf },
  { first: 0xe0, last: 0xe0, continuations: 2, low: 0xa0, high: 0xbf },
  { first: 0xe1, last: 0xec, continuations: 2, low: 0x80, high: 0xbf },
  { first: 0xed, last: 0xed, continuations: 2, low: 0x80, high: 0x9f },
  { first: 0xee, last: 0xef, continuations: 2, low: 0x80, high: 0xbf },
  { first: 0xf0, last: 0xf0, continuations: 3, low: 0x90, high: 0xbf },
  { first: 0xf1, last: 0xf3, continuations: 3, low: 0x80, high: 0xbf },
  { first: 0xf4, last: 0xf4, continuations: 3, low: 0x80, high: 0x8f },
] as const;
