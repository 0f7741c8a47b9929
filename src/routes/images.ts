import type { Context } from 'hono';
import * as z from 'zod';
import { GlimpseError } from '../errors.ts';
import { readHeader } from '../image/header.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { imageInput } from './image-input.ts';
import { handleSchema, imageField } from './image-schema.ts';
import { readRequest } from './read-request.ts';
import { requestContext } from './request-context.ts';

/** What `POST /v1/images` takes. */
export const imagesRequest = z.strictObject({ image: imageField });

export const imagesResponse = z.strictObject({
  id: handleSchema,
  object: z.literal('image'),
  width: z.int().min(1).meta({ description: 'In pixels, as stored: before its EXIF orientation.' }),
  height: z.int().min(1),
  format: z.enum(['jpeg', 'png']),
  cache: z.enum(['hit', 'miss']).meta({ description: 'Whether its embeddings were there already.' }),
});

/** `POST /v1/images`: sends an image once, for requests that name it by its handle. */
export async function images(c: Context, pipeline: Pipeline, max_body_bytes: number): Promise<Response> {
  const input = imageInput((await readRequest(c.req.raw, imagesRequest, max_body_bytes)).image);
  if (!('bytes' in input)) {
    throw new GlimpseError('invalid_value', 'image: send the image itself.', {
      param: 'image',
    });
  }
  const { image, cache } = await pipeline.embed(input, requestContext(c));
  const { width, height, format } = readHeader(input.bytes);
  return c.json({ id: image, object: 'image', width, height, format, cache });
}
