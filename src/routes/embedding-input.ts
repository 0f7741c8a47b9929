import * as z from 'zod';
import { isImageHandle } from '../cache/image-handle.ts';
import type { TextToEmbed } from '../pipeline/embed-texts.ts';
import type { ImageInput } from '../pipeline/pipeline.ts';
import { imageInput } from './image-input.ts';
import { imageText } from './image-schema.ts';

const MAX_INPUTS = 100;
const MAX_IMAGES = 16;

const imagePart = z.strictObject({
  type: z.literal('image_url'),
  image_url: z.strictObject({ url: imageText }),
});
const textPart = z.strictObject({ type: z.literal('text'), text: z.string().regex(/\S/) });
const one = z.union([
  z.string().regex(/\S/).meta({
    description:
      'An image, as image_url.url has it, and anything else a text. (What reads like an image is a text as a part of that type.)',
  }),
  imagePart,
  textPart,
]);
type One = z.infer<typeof one>;

const several = z
  .array(one)
  .min(1)
  .max(MAX_INPUTS)
  .refine((inputs) => inputs.filter(isImage).length <= MAX_IMAGES, `has more than ${MAX_IMAGES} images`);

/** The `input` of `POST /v1/embeddings`. */
export const embeddingInput = z.union([one, several]).meta({
  description: `An image or a text, or up to ${MAX_INPUTS}, among them up to ${MAX_IMAGES} images. Only dual encoders (CLIP, SigLIP) embed texts, into the space of their images.`,
});

/** `param` is how errors name it. */
type Input = TextToEmbed | (ImageInput & { readonly param: string });

export function parseInput(input: One | readonly One[]): Input[] {
  if (!isList(input)) return [parse(input, 'input')];
  return input.map((value, index) => parse(value, `input.${index}`));
}

const isList = (input: One | readonly One[]): input is readonly One[] => Array.isArray(input);

function parse(value: One, param: string): Input {
  const content = contentOf(value);
  return isImage(value) ? { ...imageInput(content, param), param } : { text: content, param };
}

const IMAGE_URL = /^(data:[^\s,]*,|https?:\/\/\S+$)/i;

function isImage(value: One): boolean {
  if (typeof value !== 'string') return value.type === 'image_url';
  return isImageHandle(value) || IMAGE_URL.test(value);
}

function contentOf(value: One): string {
  if (typeof value === 'string') return value;
  return value.type === 'text' ? value.text : value.image_url.url;
}
