import type { Context } from 'hono';
import * as z from 'zod';
import { isImageHandle } from '../cache/image-handle.ts';
import { GlimpseError } from '../errors.ts';
import type { ImageEmbeds } from '../model/types.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { imageInput } from './image-input.ts';
import { handleSchema, imageText } from './image-schema.ts';
import { modelId, requireModel } from './model-id.ts';
import { readJson } from './read-json.ts';
import { requestContext } from './request-context.ts';

const MAX_IMAGES = 16;

const imagePart = z.strictObject({
  type: z.literal('image_url'),
  image_url: z.strictObject({ url: imageText }),
});
const image = z.union([imageText, imagePart]);

/** What `POST /v1/embeddings` takes: OpenAI's fields, images in place of texts. */
export const embeddingsRequest = z.strictObject({
  model: modelId,
  input: z
    .union([image, z.array(image).min(1).max(MAX_IMAGES)])
    .meta({ description: `An image or up to ${MAX_IMAGES}: this model embeds no text.` }),
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
      embedding: z
        .union([z.array(z.number()), z.string()])
        .meta({ description: "The mean of the image's image_embeds, in the decoder's hidden width." }),
      image: handleSchema,
      cache: z.enum(['hit', 'miss']),
    }),
  ),
  model: modelId,
  usage: z.strictObject({
    prompt_tokens: z.int().min(0).meta({ description: 'Image tokens, 50 an image.' }),
    total_tokens: z.int().min(0),
  }),
});

/** `POST /v1/embeddings`: one vector an image. */
export async function embeddings(c: Context, pipeline: Pipeline, max_body_bytes: number): Promise<Response> {
  const request = await readJson(c.req.raw, embeddingsRequest, max_body_bytes);
  requireModel(request.model, pipeline);
  const inputs = [request.input].flat().map(imageOf); // all are looked at before any is worked on
  const data: z.infer<typeof embeddingsResponse>['data'] = [];
  let tokens = 0;
  for (const [index, input] of inputs.entries()) {
    const { image, image_embeds, cache } = await named(pipeline.embed(input, requestContext(c)));
    const pooled = meanPooled(image_embeds);
    const embedding = request.encoding_format === 'base64' ? base64(pooled) : [...pooled];
    data.push({ object: 'embedding', index, embedding, image, cache });
    tokens += image_embeds.shape[0];
  }
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return c.json({ object: 'list', data, model: pipeline.model, usage });
}

function imageOf(input: z.infer<typeof image>): ReturnType<typeof imageInput> {
  const text = typeof input === 'string' ? input : input.image_url.url;
  if (isImageHandle(text) || /^(data|https?):/i.test(text)) return imageInput(text, 'input');
  throw new GlimpseError(
    'invalid_value',
    'input: this model embeds images only, no text: send a data URL or the sha256: handle of an image.',
    { param: 'input' },
  );
}

/** An error about "the image" is about the input. */
async function named<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof GlimpseError) || error.param !== 'image') throw error;
    throw new GlimpseError(error.code, error.message, { param: 'input', cause: error });
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

function base64(values: Float32Array): string {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => view.setFloat32(4 * i, value, true));
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}
