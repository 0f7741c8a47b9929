import { parseMultipart, type MultipartPart } from '@remix-run/multipart-parser';
import { GlimpseError } from '../errors.ts';
import { readBody } from './read-body.ts';
import { textFields } from './text-fields.ts';
import type { Fields, RequestSchema } from './text-fields.ts';

/**
 * A multipart form: `image` as a file (or as text, like in JSON), every other field as text. The image is
 * a view of the body: the platform's `formData()` copies it twice, which isolates have no room for.
 */
export async function readForm(
  request: Request,
  schema: RequestSchema,
  max_body_bytes: number,
): Promise<Fields> {
  const body = await readBody(request, max_body_bytes);
  const { texts, files } = parse(body, request.headers);
  return { ...textFields(texts, schema), ...image(files, texts) };
}

interface Form {
  readonly texts: readonly (readonly [name: string, text: string])[];
  readonly files: readonly (readonly [name: string, bytes: Uint8Array])[];
}

function image(files: Form['files'], texts: Form['texts']): { image?: Uint8Array } {
  const stray = files.find(([name]) => name !== 'image');
  if (stray) {
    throw new GlimpseError('invalid_value', `${stray[0]} may not be a file: only image may.`, {
      param: stray[0],
    });
  }
  const [first] = files;
  if (!first) return {};
  if (files.length > 1 || texts.some(([name]) => name === 'image')) {
    throw new GlimpseError('invalid_value', 'There is more than one image: send one.', { param: 'image' });
  }
  return { image: first[1] };
}

function parse(body: Uint8Array, headers: Headers): Form {
  const [, quoted, plain] =
    /;\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(headers.get('content-type') ?? '') ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) {
    const message =
      'The Content-Type multipart/form-data names no boundary: let your client write that header.';
    throw new GlimpseError('invalid_request', message);
  }
  const limits = { maxFileSize: body.length, maxTotalSize: body.length };
  try {
    const parts = [...parseMultipart(body, { boundary, ...limits })];
    return {
      texts: parts.filter((part) => !part.isFile).map((part) => [nameOf(part), textOf(part)]),
      files: parts.filter((part) => part.isFile).map((part) => [nameOf(part), bytesOf(part)]),
    };
  } catch (cause) {
    const why = cause instanceof Error ? ` (${cause.message})` : '';
    throw new GlimpseError('invalid_request', `The request body is not a valid multipart form${why}.`, {
      cause,
    });
  }
}

function nameOf({ name }: MultipartPart): string {
  if (name === undefined) throw new Error('a part without a name');
  return name;
}

function textOf(part: MultipartPart): string {
  try {
    return part.text;
  } catch (cause) {
    throw new Error(`${nameOf(part)} is not UTF-8: a file needs a filename`, { cause });
  }
}

/** Parsed from one buffer, a part has its bytes in one piece of it, or none at all. */
function bytesOf({ content: [bytes = new Uint8Array(0)] }: MultipartPart): Uint8Array {
  return bytes;
}
