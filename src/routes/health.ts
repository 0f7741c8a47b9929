import type { Context } from 'hono';
import * as z from 'zod';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { modelId } from './model-id.ts';

export const healthResponse = z.strictObject({
  status: z.literal('ok'),
  model: modelId,
  bundle: z.strictObject({
    digest: z.string().nullable().meta({ description: 'Once the bundle has been opened.' }),
    loaded: z
      .strictObject({ vision: z.boolean(), text: z.boolean() })
      .meta({ description: 'Which halves are in memory.' }),
  }),
});

/** `GET /health`: live, and which parts of the bundle are in memory. Never touches storage. */
export function health(c: Context, pipeline: Pipeline): Response {
  return c.json({ status: 'ok', model: pipeline.model, bundle: pipeline.status() });
}
