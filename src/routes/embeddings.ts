import type { Context } from 'hono';
import * as z from 'zod';
import { GlimpseError } from '../errors.ts';
import type { ImageEmbeds } from '../model/types.ts';
import type { EmbeddedTexts } from '../pipeline/embed-texts.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { embeddingInput, parseInput } from './embedding-input.ts';
import { handleSchema } from './image-schema.ts';
import { modelId, requireModel } from './model-id.ts';
import { readJson } from './read-json.ts';
import { requestContext } from './request-context.ts';

/** What `POST /v1/embeddings` takes: OpenAI's fields, images beside texts. */
export const embeddingsRequest = z.strictObject({
  model: modelId,
  input: embeddingInput,
  encoding_format: z.enum(['float', 'base64']).default('float').meta({
    description: 'Numbers, or the base64 of little-endian float32 (what the openai clients ask for).',
  }),
});

export const embeddingsResponse = z.strictObject({
  object: z.literal('list'),
  data: z.array(
    z.strictObject({
      object: z.literal('embedding'),
      index: z.int().min(0),
      embedding: z.union([z.array(z.number()), z.string()]).meta({
        description:
          "The mean of the image's image_embeds, in the decoder's hidden width. Of a dual encoder: image_embeds or text_embeds, of length 1 as OpenCLIP and sentence-transformers normalise them, so that a product of two is their cosine.",
      }),
      image: handleSchema.optional().meta({ description: 'Where it is the embedding of an image.' }),
      cache: z.enum(['hit', 'miss']).optional(),
    }),
  ),
  model: modelId,
  usage: z.strictObject({
    prompt_tokens: z.int().min(0).meta({
      description:
        'Rows of image_embeds, 1 of a dual encoder; and the tokens of texts, with those that the tokenizer puts around each.',
    }),
    total_tokens: z.int().min(0),
  }),
});

/** `POST /v1/embeddings`: one vector an image or a text. */
export async function embeddings(c: Context, pipeline: Pipeline, max_body_bytes: number): Promise<Response> {
  const request = await readJson(c.req.raw, embeddingsRequest, max_body_bytes);
  requireModel(request.model, pipeline);
  const inputs = parseInput(request.input); // all are looked at before any is worked on
  const context = requestContext(c);
  const texts = inputs.filter((input) => 'text' in input);
  const embedded = texts.length > 0 ? await pipeline.embedTexts(texts, context) : NO_TEXTS;
  const text_embeds = embedded.text_embeds.values();
  let { prompt_tokens } = embedded;
  const data: z.infer<typeof embeddingsResponse>['data'] = [];
  for (const [index, input] of inputs.entries()) {
    if ('text' in input) {
      const { value } = text_embeds.next();
      if (value === undefined) throw new Error('a text had no embedding');
      data.push({ object: 'embedding', index, embedding: encoded(value, request) });
      continue;
    }
    const { image, image_embeds, cache } = await named(pipeline.embed(input, context), input.param);
    const embedding = encoded(meanPooled(image_embeds), request);
    data.push({ object: 'embedding', index, embedding, image, cache });
    prompt_tokens += image_embeds.shape[0];
  }
  const usage = { prompt_tokens, total_tokens: prompt_tokens };
  return c.json({ object: 'list', data, model: pipeline.model, usage });
}

/** Without any, no model need embed texts. */
const NO_TEXTS: EmbeddedTexts = { text_embeds: [], prompt_tokens: 0 };

/** An error about "the image" is about that input. */
async function named<T>(work: Promise<T>, param: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof GlimpseError) || error.param !== 'image') throw error;
    throw new GlimpseError(error.code, error.message, { param, cause: error });
  }
}

/** The mean over the image's tokens. // [hidden] */
export function meanPooled({
  data,
  shape: [tokens, hidden],
}: Pick<ImageEmbeds, 'data' | 'shape'>): Float32Array {
  const sums = new Float64Array(hidden);
  data.forEach((value, i) => (sums[i % hidden] = (sums[i % hidden] ?? 0) + value));
  return Float32Array.from(sums, (sum) => sum / tokens);
}

function encoded(
  vector: Float32Array,
  { encoding_format }: z.infer<typeof embeddingsRequest>,
): number[] | string {
  return encoding_format === 'base64' ? base64(vector) : [...vector];
}

function base64(values: Float32Array): string {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => view.setFloat32(4 * i, value, true));
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}
