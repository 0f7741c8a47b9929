import type { Context } from 'hono';
import * as z from 'zod';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { modelId, requireModel } from './model-id.ts';
import { requestContext } from './request-context.ts';

const UNKNOWN_TIME = 0; // a bundle does not say when it was made, and the same bundle must not say two things

/** OpenAI's model object, and what one needs to know before one asks it something. */
export const modelSchema = z.strictObject({
  id: modelId,
  object: z.literal('model'),
  created: z.int().meta({ description: 'Not known of a bundle: always 0.', example: UNKNOWN_TIME }),
  owned_by: z.literal('glimpse'),
  input_modalities: z.array(z.enum(['text', 'image'])),
  output_modalities: z
    .array(z.enum(['text', 'embeddings']))
    .meta({ description: 'A dual encoder (CLIP, SigLIP) gives embeddings only.', example: ['text'] }),
  context_length: z.int().min(1).meta({
    description: 'Tokens of image, prompt and answer together; of a dual encoder, of one text.',
    example: 256,
  }),
  license: z.string().nullable().meta({
    description: "As the bundle's model card names it.",
    example: 'non-commercial-research-and-education',
  }),
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .meta({ description: 'SHA-256 of the whole bundle.' }),
});

export const modelListSchema = z.strictObject({ object: z.literal('list'), data: z.array(modelSchema) });
export type ModelList = z.infer<typeof modelListSchema>;

/** `GET /v1/models`: the one model that this deployment has. */
export async function models(c: Context, pipeline: Pipeline): Promise<Response> {
  return c.json({ object: 'list', data: [await describe(c, pipeline)] });
}

/** `GET /v1/models/{id}`. */
export async function model(c: Context, pipeline: Pipeline): Promise<Response> {
  requireModel(c.req.param('id') ?? '', pipeline);
  return c.json(await describe(c, pipeline));
}

async function describe(c: Context, pipeline: Pipeline): Promise<z.infer<typeof modelSchema>> {
  const bundle = await pipeline.bundle(requestContext(c));
  return {
    id: pipeline.model,
    object: 'model',
    created: UNKNOWN_TIME,
    owned_by: 'glimpse',
    input_modalities: ['text', 'image'],
    output_modalities: [bundle.kind === 'dual' ? 'embeddings' : 'text'],
    context_length: bundle.model.max_position_embeddings,
    license: await bundle.license(),
    digest: bundle.digest,
  };
}
