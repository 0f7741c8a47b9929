import * as z from 'zod';
import { GlimpseError } from '../errors.ts';

/** A strict object: what a request may hold. */
export type RequestSchema = z.ZodObject<z.core.$ZodShape>;

/** A request's fields by name, before the schema has looked at them. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Forms and query strings carry text only: each field is read as the type that its schema wants. What
 * cannot be read so stays text, for the schema to refuse.
 * @param entries a name may stand several times if its schema takes a list.
 */
export function textFields(entries: Iterable<readonly [string, string]>, schema: RequestSchema): Fields {
  const groups = Map.groupBy(entries, ([name]) => name);
  const fields = Array.from(groups, ([name, group]) => {
    const texts = group.map(([, text]) => text);
    return [name, typed(name, texts, acceptedTypes(schema, name))] as const;
  });
  return Object.fromEntries(fields);
}

const NUMBER = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function typed(name: string, texts: readonly string[], types: ReadonlySet<string>): unknown {
  const [text = ''] = texts;
  if (types.size === 0 || (types.has('array') && texts.length > 1)) return texts;
  if (texts.length > 1) {
    throw new GlimpseError('invalid_value', `${name} stands more than once.`, { param: name });
  }
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if ((types.has('number') || types.has('integer')) && NUMBER.test(text)) return Number(text);
  return types.has('array') && !types.has('string') ? [text] : text;
}

/** The JSON types that a field may have, whatever optional, default or union stands around them. */
function acceptedTypes(schema: RequestSchema, name: string): ReadonlySet<string> {
  const field = Object.hasOwn(schema.shape, name) ? schema.shape[name] : undefined;
  return new Set(field ? types(z.toJSONSchema(field, { io: 'input', unrepresentable: 'any' })) : []);
}

function types(schema: z.core.JSONSchema._JSONSchema): string[] {
  if (typeof schema === 'boolean') return [];
  return [schema.type ?? [], (schema.anyOf ?? []).flatMap(types)].flat();
}
