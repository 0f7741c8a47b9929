import type { Context } from 'hono';
import * as z from 'zod';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { imageInput } from './image-input.ts';
import { handleSchema, imageField } from './image-schema.ts';
import { modelId } from './model-id.ts';
import { readRequest } from './read-request.ts';
import { requestContext } from './request-context.ts';

const DEFAULT_PROMPT = 'Describe the image.';
const DEFAULT_TEMPLATE = 'A {label}';
const LABEL = '{label}';

const text = z.string().regex(/\S/).max(200);

/** What `POST /v1/classify` takes. */
export const classifyRequest = z
  .strictObject({
    image: imageField,
    labels: z
      .array(text)
      .min(2)
      .max(100)
      .refine((labels) => new Set(labels).size === labels.length, 'says a label twice')
      .optional()
      .meta({
        description:
          "The classes to choose from. Without them: the five likeliest of the encoder's own classes (ImageNet).",
        example: ['dog', 'motorcycle', 'boat'],
      }),
    prompt: text
      .optional()
      .meta({ description: `The question that a label answers. Default: "${DEFAULT_PROMPT}"` }),
    template: text
      .refine((template) => template.split(LABEL).length === 2, `must have ${LABEL} in it, once`)
      .optional()
      .meta({ description: `The answer that a label would be. Default: "${DEFAULT_TEMPLATE}"` }),
  })
  .refine(({ labels, prompt }) => labels !== undefined || prompt === undefined, needsLabels('prompt'))
  .refine(({ labels, template }) => labels !== undefined || template === undefined, needsLabels('template'));

export const classifyResponse = z.strictObject({
  model: modelId,
  image: handleSchema,
  cache: z.enum(['hit', 'miss']),
  classes: z
    .array(
      z.strictObject({
        label: z.string(),
        score: z.number().meta({
          description:
            "With labels: log p(label | image) - log p(label | blank image) / 2, over the fourth root of its tokens. Without: the classifier's logit.",
        }),
        probability: z.number().min(0).max(1).meta({ description: 'softmax of the scores.' }),
      }),
    )
    .meta({ description: 'The likeliest first.' }),
  timings: z.record(z.string(), z.number().min(0)).meta({ description: 'Milliseconds by stage.' }),
});

/** `POST /v1/classify`: which of some labels an image is. */
export async function classify(c: Context, pipeline: Pipeline, max_body_bytes: number): Promise<Response> {
  const request = await readRequest(c.req.raw, classifyRequest, max_body_bytes);
  const { image, labels, prompt = DEFAULT_PROMPT, template = DEFAULT_TEMPLATE } = request;
  const classified = await pipeline.classify({
    ...requestContext(c),
    image: imageInput(image),
    ...(labels ? { question: { labels, prompt, template } } : {}),
  });
  return c.json({ model: pipeline.model, ...classified });
}

function needsLabels(option: string): { path: string[]; error: string } {
  return { path: [option], error: 'has an effect only with labels' };
}
