import type { Context } from 'hono';
import * as z from 'zod';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { errorBody, retryLater } from './error-response.ts';
import { modelId } from './model-id.ts';
import { requestContext } from './request-context.ts';

export const readyResponse = z.strictObject({
  status: z.literal('ready'),
  model: modelId,
  digest: z.string(),
});

/**
 * `GET /ready`: whether the bundle can be opened and its configuration read. Whatever stands in the way
 * is a 503, and the next call tries again.
 */
export async function ready(c: Context, pipeline: Pipeline): Promise<Response> {
  try {
    const { digest } = await pipeline.bundle(requestContext(c));
    return c.json({ status: 'ready', model: pipeline.model, digest });
  } catch (error) {
    return retryLater(errorBody(error));
  }
}
