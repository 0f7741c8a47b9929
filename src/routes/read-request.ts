import type * as z from 'zod';
import { GlimpseError } from '../errors.ts';
import { MAX_JSON_BYTES } from '../max-body-bytes.ts';
import { readForm } from './read-form.ts';
import { readBody } from './read-body.ts';
import { textFields } from './text-fields.ts';
import type { Fields, RequestSchema } from './text-fields.ts';
import { validate } from './validate.ts';

/**
 * A request in any of its three forms (JSON, multipart form, image body with a query string), as the one
 * object that the schema describes.
 * @throws GlimpseError whatever of it cannot be honoured.
 */
export async function readRequest<Schema extends RequestSchema>(
  request: Request,
  schema: Schema,
  max_body_bytes: number,
): Promise<z.output<Schema>> {
  return validate(schema, await readFields(request, schema, max_body_bytes));
}

/**
 * A request that can only be JSON, before any schema has looked at it.
 * @throws GlimpseError if it is not
 */
export async function readJsonRequest(request: Request, max_body_bytes: number): Promise<unknown> {
  const type = mediaType(request);
  if (type !== 'application/json') {
    throw new GlimpseError(
      'unsupported_media_type',
      `Content-Type ${type || '(none)'} is not supported here: send application/json.`,
    );
  }
  refuseQueryString(new URL(request.url).searchParams);
  return readJson(request, max_body_bytes);
}

async function readFields(request: Request, schema: RequestSchema, max_body_bytes: number): Promise<Fields> {
  const type = mediaType(request);
  const query = new URL(request.url).searchParams;
  if (isImageType(type)) return readImage(request, query, schema, max_body_bytes);
  if (type !== 'multipart/form-data' && type !== 'application/json') {
    throw new GlimpseError(
      'unsupported_media_type',
      `Content-Type ${type || '(none)'} is not supported: send application/json, multipart/form-data, or the image itself as image/* or application/octet-stream.`,
    );
  }
  refuseQueryString(query);
  return type === 'application/json'
    ? readJson(request, max_body_bytes)
    : readForm(request, schema, max_body_bytes);
}

function mediaType(request: Request): string {
  const [type = ''] = (request.headers.get('content-type') ?? '').split(';');
  return type.trim().toLowerCase();
}

function isImageType(type: string): boolean {
  return type.startsWith('image/') || type === 'application/octet-stream';
}

async function readImage(
  request: Request,
  query: URLSearchParams,
  schema: RequestSchema,
  max_body_bytes: number,
): Promise<Fields> {
  if (query.has('image')) {
    throw new GlimpseError('invalid_request', 'The body is the image: take image out of the query string.', {
      param: 'image',
    });
  }
  return { ...textFields(query, schema), image: await readBody(request, max_body_bytes) };
}

async function readJson(request: Request, max_body_bytes: number): Promise<Fields> {
  const bytes = await readBody(request, Math.min(max_body_bytes, MAX_JSON_BYTES));
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes); // RFC 8259, section 8.1
    return JSON.parse(text) as Fields; // or no object at all: the schema tells
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? 'valid JSON' : 'UTF-8, as JSON must be';
    throw new GlimpseError('invalid_json', `The request body is not ${reason}.`, { cause });
  }
}

function refuseQueryString(query: URLSearchParams): void {
  const [name] = query.keys();
  if (name === undefined) return;
  throw new GlimpseError(
    'unknown_option',
    `${name} stands in the query string, which is read only when the body is the image itself: put it in the body.`,
    { param: name },
  );
}
