import * as z from 'zod';
import { generationOptions } from '../../generation/config.ts';
import { modelId } from '../model-id.ts';
import { EXAMPLE_IMAGE, messageSchema } from './message-schema.ts';

const tokens = (description: string): z.ZodOptional<z.ZodNullable<z.ZodInt>> =>
  z.int().min(1).nullish().meta({ description, example: 40 });

const {
  top_k,
  min_p,
  repetition_penalty,
  presence_penalty,
  frequency_penalty,
  num_beams,
  length_penalty,
  seed,
} = generationOptions.shape;

const responseFormat = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('text') }),
    z.strictObject({ type: z.literal('json_object') }),
    z.strictObject({
      type: z.literal('json_schema'),
      json_schema: z.strictObject({
        name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
        schema: z.record(z.string(), z.unknown()),
        strict: z.boolean().nullish(),
      }),
    }),
  ])
  .nullish()
  .meta({
    description:
      'json_object, json_schema: tokens are masked so that the answer is JSON, and valid by the schema. ' +
      'Covered: type, properties, required, additionalProperties, items, minItems, maxItems, minLength, maxLength, ' +
      'minimum, maximum, exclusiveMinimum, exclusiveMaximum, enum, const, anyOf and $ref that is not recursive. ' +
      'Near the limit of tokens the answer is closed in time.',
    example: { type: 'json_object' },
  });

/** The fields of `POST /v1/chat/completions`. */
export const chatFields = z.strictObject({
  model: modelId,
  messages: z
    .array(messageSchema)
    .min(1)
    .meta({
      description: 'The conversation so far.',
      example: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is the man doing?' },
            { type: 'image_url', image_url: { url: EXAMPLE_IMAGE } },
          ],
        },
      ],
    }),
  max_completion_tokens: tokens('The longest answer, in tokens. Default: of the bundle.'),
  max_tokens: tokens('The older name of max_completion_tokens.'),
  temperature: z
    .number()
    .min(0)
    .max(2)
    .refine((value) => value === 0 || value >= 0.01, 'must be 0 or at least 0.01')
    .nullish()
    .meta({
      description:
        'Divides the logits before a token is drawn; 0 takes the likeliest. With no sampling option at all the bundle decides (glimpse-10m: takes the likeliest).',
      example: 0.7,
    }),
  top_p: z.number().min(0).max(1).nullish().meta({
    description: 'Draw from the fewest likeliest tokens whose probabilities add up to this.',
    example: 0.9,
  }),
  top_k: top_k.nullable().meta({
    description: 'Draw from this many likeliest tokens; 0, the default: from all. As vLLM has it.',
    example: 20,
  }),
  min_p: min_p.nullable().meta({
    description:
      "Draw from tokens with at least this part of the likeliest one's probability. As vLLM has it.",
    example: 0.05,
  }),
  seed: seed.nullable().meta({
    description: 'The same seed draws the same answer; the answers of n > 1 count up from it.',
    example: 7,
  }),
  stop: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1).max(4)])
    .nullish()
    .meta({ description: 'The answer ends before the first of these.', example: ['.'] }),
  n: z.int().min(1).max(8).nullish().meta({ description: 'Answers, independent of each other.', example: 1 }),
  presence_penalty: presence_penalty.nullable().meta({
    description: 'Subtracted from the logits of tokens that the answer has.',
    example: 0.5,
  }),
  frequency_penalty: frequency_penalty.nullable().meta({
    description: 'Subtracted from the logit of a token as often as the answer has it.',
    example: 0.5,
  }),
  repetition_penalty: repetition_penalty.nullable().meta({
    description: 'Over 1, tokens of the prompt and of the answer become less likely. As transformers has it.',
    example: 1.1,
  }),
  logit_bias: z
    .record(z.string().regex(/^(0|[1-9]\d*)$/, 'names are token ids'), z.number().min(-100).max(100))
    .nullish()
    .meta({ description: 'Added to the logits of these tokens, by id.', example: { '1234': -100 } }),
  logprobs: z.boolean().nullish().meta({
    description: "Tell each token's log-probability by the model alone, before any option changes it.",
    example: true,
  }),
  top_logprobs: z.int().min(0).max(20).nullish().meta({
    description: 'And those of so many likeliest tokens in its place. Needs logprobs.',
    example: 5,
  }),
  num_beams: num_beams.nullable().meta({
    description: 'Beam search with so many sequences; takes neither sampling, n, logprobs nor stream.',
    example: 3,
  }),
  length_penalty: length_penalty.nullable().meta({
    description: "Beam search divides a sequence's log-probability by its length to this power.",
    example: 1,
  }),
  response_format: responseFormat,
  stream: z
    .boolean()
    .nullish()
    .meta({ description: 'Server-sent events while the answer is made.', example: false }),
  stream_options: z
    .strictObject({
      include_usage: z
        .boolean()
        .nullish()
        .meta({ description: 'A last chunk without choices has the usage.' }),
    })
    .nullish()
    .meta({ description: 'Needs stream.', example: { include_usage: true } }),
  modalities: z
    .array(z.literal('text'))
    .min(1)
    .max(1)
    .nullish()
    .meta({ description: 'Answers are text.', example: ['text'] }),
});
export type ChatFields = z.infer<typeof chatFields>;
