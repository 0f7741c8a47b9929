import { invalidSchema } from './schema-keywords.ts';

/**
 * What a JSON pointer (RFC 6901) within the schema names.
 * @throws GlimpseError invalid_json_schema
 */
export function resolveReference(schema: unknown, pointer: string, at: string): unknown {
  if (!pointer.startsWith('#/')) {
    throw invalidSchema(at, 'only references within the schema ("#/$defs/...") are known');
  }
  const found = pointer
    .slice(2)
    .split('/')
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (node, name) =>
        typeof node === 'object' && node !== null && Object.hasOwn(node, name)
          ? (node as Readonly<Record<string, unknown>>)[name]
          : undefined,
      schema,
    );
  if (found === undefined) throw invalidSchema(at, `there is no ${pointer}`);
  return found;
}
