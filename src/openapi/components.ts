import * as z from 'zod';
import { chatCompletionChunkSchema } from '../routes/chat/schema.ts';
import { imageText } from '../routes/image-schema.ts';
import { errorSchema } from './error-schema.ts';
import type { Operation, RequestBody } from './operation.ts';

export type Json = Readonly<Record<string, unknown>>;
export type JsonSchema = Json & {
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
  readonly $defs?: Readonly<Record<string, Json>>;
};

/** An image's bytes, as OpenAPI 3.1 says it. */
export const IMAGE_FILE = {
  type: 'string',
  contentMediaType: 'application/octet-stream',
  description: 'JPEG or PNG.',
};

export function jsonSchema(schema: z.ZodType): JsonSchema {
  return without(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), '$schema');
}

/** The schemas of all operations by name, those that they share among them. */
export function schemaComponents(operations: readonly Operation[]): Json {
  const schemas = [
    ...operations.flatMap(({ request }) => (request ? requestSchemas(request) : [])),
    ...operations.flatMap(({ response }) =>
      'schema' in response ? [[response.name, jsonSchema(response.schema)] as const] : [],
    ),
    ['ChatCompletionChunk', jsonSchema(chatCompletionChunkSchema)] as const,
    ['Error', jsonSchema(errorSchema)] as const,
  ];
  const shared = schemas.flatMap(([, { $defs = {} }]) => Object.entries($defs));
  const named = [...shared, ...schemas.map(([name, schema]) => [name, without(schema, '$defs')] as const)];
  const text = JSON.stringify(Object.fromEntries(named)).replaceAll('"#/$defs/', '"#/components/schemas/');
  return JSON.parse(text) as Json;
}

export function without(object: Json, name: string): Json {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
}

/** Where an image may be a file, JSON has it as text and a form as the file. */
function requestSchemas({ name, schema, forms }: RequestBody): (readonly [string, JsonSchema])[] {
  const whole = jsonSchema(schema);
  if (forms === 'json') return [[name, whole]];
  return [
    [name, withImage(whole, jsonSchema(imageText))],
    [`${name}Form`, withImage(whole, IMAGE_FILE)],
  ];
}

function withImage(schema: JsonSchema, image: Json): JsonSchema {
  return { ...schema, properties: { ...schema.properties, image } };
}
