import * as z from 'zod';
import { GlimpseError } from '../../errors.ts';

const typeName = z.enum(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']);
export type TypeName = z.infer<typeof typeName>;

/** How a request names the schema. */
export const SCHEMA_PATH = 'response_format.json_schema.schema';

/** Longer answers than this fit no context: a bound on work, not on what can be asked. */
export const MOST = 1000;
const length = z.int().min(0).max(MOST);

/** Say something about a schema and nothing about what it takes. */
const annotations = {
  title: z.unknown().optional(),
  description: z.unknown().optional(),
  default: z.unknown().optional(),
  examples: z.unknown().optional(),
  deprecated: z.unknown().optional(),
  readOnly: z.unknown().optional(),
  writeOnly: z.unknown().optional(),
  $comment: z.unknown().optional(),
  $schema: z.unknown().optional(),
  $id: z.unknown().optional(),
  $defs: z.unknown().optional(), // looked up where a $ref names them
  definitions: z.unknown().optional(),
};

/** The part of JSON Schema (draft 2020-12) that answers can be held to. */
const keywords = z.strictObject({
  ...annotations,
  type: z.union([typeName, z.array(typeName).min(1)]).optional(),
  enum: z.array(z.unknown()).min(1).max(MOST).optional(),
  const: z.unknown().optional(),
  anyOf: z.array(z.unknown()).min(1).max(MOST).optional(),
  $ref: z.string().optional(),
  properties: z
    .record(z.string(), z.unknown())
    .refine((properties) => Object.keys(properties).length <= MOST, `has more than ${MOST} names`)
    .optional(),
  required: z.array(z.string()).max(MOST).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  minItems: length.optional(),
  maxItems: length.optional(),
  minLength: length.optional(),
  maxLength: length.optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
});
export type Keywords = z.infer<typeof keywords>;

/** @throws GlimpseError invalid_json_schema that names a keyword not covered */
export function readKeywords(schema: unknown, path: string): Keywords {
  const parsed = keywords.safeParse(schema);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys') {
    const [keyword = ''] = issue.keys;
    throw invalidSchema(`${path}.${keyword}`, `answers cannot be held to the keyword "${keyword}"`);
  }
  throw invalidSchema([path, ...(issue?.path ?? [])].join('.'), issue?.message ?? 'not a schema');
}

/** @throws GlimpseError that names a keyword beside one that stands alone */
export function refuseBeside(
  schema: Keywords,
  alone: string,
  path: string,
  allowed: readonly string[] = [],
): void {
  const beside = Object.keys(schema).find(
    (keyword) => keyword !== alone && !(keyword in annotations) && !allowed.includes(keyword),
  );
  if (beside === undefined) return;
  throw invalidSchema(`${path}.${beside}`, `answers cannot be held to "${beside}" beside "${alone}"`);
}

export function invalidSchema(path: string, reason: string): GlimpseError {
  return new GlimpseError('invalid_json_schema', `${path}: ${reason}.`, { param: path });
}
