import type { Context } from 'hono';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { imageInput } from './image-input.ts';
import { readRequest } from './read-request.ts';
import { queryRequest } from './request-fields.ts';
import { respond } from './respond.ts';

/** `POST /v1/query`: an answer to a prompt about an image. */
export async function query(c: Context, pipeline: Pipeline, max_body_bytes: number): Promise<Response> {
  const request = await readRequest(c.req.raw, queryRequest, max_body_bytes);
  const { image, prompt, stream, ...generation } = request;
  return respond(c, pipeline, { image: imageInput(image), prompt, generation }, stream);
}
