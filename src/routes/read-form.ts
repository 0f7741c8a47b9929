import { GlimpseError } from '../errors.ts';
import { readBody } from './read-body.ts';
import { textFields } from './text-fields.ts';
import type { Fields, RequestSchema } from './text-fields.ts';

/** A multipart form: `image` as a file (or as text, like in JSON), every other field as text. */
export async function readForm(
  request: Request,
  schema: RequestSchema,
  max_body_bytes: number,
): Promise<Fields> {
  const body = await readBody(request, max_body_bytes);
  const entries = [...(await parse(body, request.headers))];
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const files = entries.filter((entry): entry is [string, File] => typeof entry[1] !== 'string');
  return { ...textFields(texts, schema), ...(await image(files, texts)) };
}

async function image(
  files: readonly (readonly [string, File])[],
  texts: readonly (readonly [string, string])[],
): Promise<{ image?: Uint8Array }> {
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
  return { image: new Uint8Array(await first[1].arrayBuffer()) };
}

async function parse(body: Uint8Array<ArrayBuffer>, headers: Headers): Promise<FormData> {
  try {
    return await new Response(body, {
      headers: { 'content-type': headers.get('content-type') ?? '' },
    }).formData();
  } catch (cause) {
    throw new GlimpseError('invalid_request', 'The request body is not a valid multipart form.', { cause });
  }
}
