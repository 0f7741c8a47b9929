import { choice, list, literal, type Grammar } from './grammar.ts';
import { decimal } from './number.ts';
import { record } from './object.ts';
import { string } from './string.ts';

/** Any JSON value. Numbers are decimals within their limits. */
export const anyValue: Grammar = { shortest: '0', enter: (rest) => values.enter(rest) };

/** Any JSON object: what `json_object` asks for. */
export const anyObject = record(anyValue);

const values = choice(
  string(),
  decimal(),
  literal('true'),
  literal('false'),
  literal('null'),
  list('[', anyValue, ']'),
  anyObject,
);
