import type { Context } from 'hono';
import * as z from 'zod';
import { DEFAULT_PROMPT, DEFAULT_TEMPLATE } from '../classify/classify-by-labels.ts';
import { DEFAULT_HYPOTHESIS } from '../classify/classify-by-similarity.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { imageInput } from './image-input.ts';
import { handleSchema, imageField } from './image-schema.ts';
import { modelId } from './model-id.ts';
import { readRequest } from './read-request.ts';
import { requestContext } from './request-context.ts';

const LABEL = '{label}';
const HYPOTHESIS_LABEL = '{}';

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
    template: withPlace(LABEL)
      .optional()
      .meta({ description: `The answer that a label would be. Default: "${DEFAULT_TEMPLATE}"` }),
    hypothesis_template: withPlace(HYPOTHESIS_LABEL)
      .optional()
      .meta({
        description: `Only of dual encoders (CLIP, SigLIP), which take neither prompt nor template: the text about the image that a label makes. Default: "${DEFAULT_HYPOTHESIS}"`,
      }),
  })
  .refine(({ labels, prompt }) => labels !== undefined || prompt === undefined, needsLabels('prompt'))
  .refine(({ labels, template }) => labels !== undefined || template === undefined, needsLabels('template'))
  .refine(
    ({ labels, hypothesis_template }) => labels !== undefined || hypothesis_template === undefined,
    needsLabels('hypothesis_template'),
  );

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
            "With labels: log p(label | image) - log p(label | blank image) / 2, over the fourth root of its tokens; of a dual encoder: e^logit_scale times the cosine of image and text, plus SigLIP's logit_bias. Without: the classifier's logit.",
        }),
        probability: z.number().min(0).max(1).meta({
          description:
            'softmax of the scores. Of SigLIP: sigmoid of the score, by which each label is true or not whatever the others are.',
        }),
      }),
    )
    .meta({ description: 'The likeliest first.' }),
  timings: z.record(z.string(), z.number().min(0)).meta({ description: 'Milliseconds by stage.' }),
});
export type ClassifyBody = z.infer<typeof classifyResponse>;

/** `POST /v1/classify`: which of some labels an image is. */
export async function classify(c: Context, pipeline: Pipeline, max_body_bytes: number): Promise<Response> {
  const request = await readRequest(c.req.raw, classifyRequest, max_body_bytes);
  const { image, labels, ...options } = request;
  const classified = await pipeline.classify({
    ...requestContext(c),
    image: imageInput(image),
    question: labels && { labels, ...options },
  });
  return c.json({ model: pipeline.model, ...classified });
}

function withPlace(place: string) {
  return text.refine((template) => template.split(place).length === 2, `must have ${place} in it, once`);
}

function needsLabels(option: string): { path: string[]; error: string } {
  return { path: [option], error: 'has an effect only with labels' };
}
