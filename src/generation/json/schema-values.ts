import { choice, literal, type Grammar } from './grammar.ts';
import { invalidSchema, refuseBeside, type Keywords, type TypeName } from './schema-keywords.ts';

/** In bytes: of what must be in an answer, and of one value or name. */
export const LONGEST = 8192;

/** The values of enum or const that are of the schema's type, as JSON.stringify writes them. */
export function literals(all: readonly unknown[], keyword: string, node: Keywords, at: string): Grammar {
  refuseBeside(node, keyword, at, ['type']);
  const types = node.type === undefined ? undefined : [node.type].flat();
  const taken = all.filter((value) => types?.some((type) => isOfType(value, type)) ?? true);
  if (taken.length === 0) throw invalidSchema(`${at}.${keyword}`, 'none of the values is of the type');
  const texts = taken.map((value) => JSON.stringify(value));
  if (texts.some((text) => text.length > LONGEST)) {
    throw invalidSchema(`${at}.${keyword}`, 'a value is longer than any answer');
  }
  return choice(...texts.map(literal));
}

function isOfType(value: unknown, type: TypeName): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  return typeof value === type && (type !== 'object' || (value !== null && !Array.isArray(value)));
}
