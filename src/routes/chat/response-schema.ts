import * as z from 'zod';

const tokenFields = {
  token: z.string().meta({ example: ' dog' }),
  logprob: z.number().max(0).meta({ example: -0.25 }),
  bytes: z
    .array(z.int().min(0).max(255))
    .nullable()
    .meta({ description: 'Of the token in UTF-8, maybe no whole characters; null for a special token.' }),
};

const logprobsSchema = z
  .strictObject({
    content: z.array(
      z.strictObject({
        ...tokenFields,
        top_logprobs: z
          .array(z.strictObject(tokenFields))
          .meta({ description: 'The likeliest, best first.' }),
      }),
    ),
    refusal: z.null(),
  })
  .nullable()
  .meta({
    description: "By the model alone: natural logarithms of its probabilities, before any option's effect.",
  });

const usageSchema = z.strictObject({
  prompt_tokens: z.int().min(0).meta({ description: "The image's included.", example: 70 }),
  completion_tokens: z.int().min(0).meta({ description: 'Of all n answers.', example: 5 }),
  total_tokens: z.int().min(0).meta({ example: 75 }),
  prompt_tokens_details: z.strictObject({
    cached_tokens: z.int().min(0).meta({
      description: 'Of the prompt up to its image, where they were kept from an earlier prompt on it.',
      example: 63,
    }),
  }),
});

const head = {
  id: z
    .string()
    .regex(/^chatcmpl-/)
    .meta({ example: 'chatcmpl-b0a9e4c2-7a52-4a5c-9d4c-0c9f3f1c8f11' }),
  created: z.int().meta({ description: 'Seconds since 1970.', example: 1_790_000_000 }),
  model: z.string().meta({ example: 'glimpse-10m' }),
  system_fingerprint: z
    .string()
    .regex(/^fp_[0-9a-f]{12}$/)
    .meta({ description: "The beginning of the bundle's digest.", example: 'fp_a68d2a21fde1' }),
};

const index = z.int().min(0).meta({ example: 0 });
const finishReason = z.enum(['stop', 'length']).meta({
  description: 'stop: the model or a stop string ended it. length: the limit of tokens or the context did.',
});

/** What `POST /v1/chat/completions` answers. */
export const chatCompletionSchema = z.strictObject({
  ...head,
  object: z.literal('chat.completion'),
  choices: z.array(
    z.strictObject({
      index,
      message: z.strictObject({
        role: z.literal('assistant'),
        content: z.string().meta({ example: 'Riding a red motorcycle.' }),
        refusal: z.null(),
      }),
      logprobs: logprobsSchema,
      finish_reason: finishReason,
    }),
  ),
  usage: usageSchema,
});
export type ChatCompletionBody = z.infer<typeof chatCompletionSchema>;

/** An event of its stream: for each answer its role, pieces of its text, its end; then the usage if asked for. */
export const chatCompletionChunkSchema = z.strictObject({
  ...head,
  object: z.literal('chat.completion.chunk'),
  choices: z.array(
    z.strictObject({
      index,
      delta: z.strictObject({ role: z.literal('assistant').optional(), content: z.string().optional() }),
      logprobs: logprobsSchema,
      finish_reason: finishReason.nullable(),
    }),
  ),
  usage: usageSchema
    .nullish()
    .meta({ description: 'With stream_options.include_usage: null in every chunk but the last.' }),
});
export type ChatCompletionChunkBody = z.infer<typeof chatCompletionChunkSchema>;
