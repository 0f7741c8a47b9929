import type * as z from 'zod';
import { readJsonRequest } from './read-request.ts';
import type { Fields, RequestSchema } from './text-fields.ts';
import { validate } from './validate.ts';

/** A JSON request as its schema describes it. @throws GlimpseError whatever of it cannot be honoured */
export async function readJson<Schema extends RequestSchema>(
  request: Request,
  schema: Schema,
  max_body_bytes: number,
): Promise<z.output<Schema>> {
  return validate(schema, (await readJsonRequest(request, max_body_bytes)) as Fields);
}
