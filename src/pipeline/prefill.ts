import type { EmbeddedImage } from './embed-image.ts';
import { GlimpseError } from '../errors.ts';
import type { PromptSequence } from '../generation/sequence.ts';
import type { PrefixCache } from '../model/prefix-cache.ts';
import type { Decoder, PastKeyValues } from '../model/types.ts';

/** A prompt cut at its images. */
export interface PromptWithImages {
  /** The images in order, each with the tokens between it and the image before. */
  readonly prefix: readonly { readonly input_ids: readonly number[]; readonly image: EmbeddedImage }[];
  /** The tokens behind the last image. */
  readonly input_ids: readonly number[];
}

/** @throws GlimpseError invalid_value if the chat template has not given every image its place */
export function cutAtImages(
  rendered: readonly number[],
  image_token_id: number,
  images: readonly EmbeddedImage[],
): PromptWithImages {
  const cuts = [...rendered.keys()].filter((index) => rendered[index] === image_token_id);
  if (cuts.length !== images.length) {
    throw new GlimpseError('invalid_value', 'The model has no place in a prompt for an image there.', {
      param: 'messages',
    });
  }
  const begin = (index: number): number => (index === 0 ? 0 : (cuts[index - 1] ?? 0) + 1);
  return {
    prefix: images.map((image, index) => ({ input_ids: rendered.slice(begin(index), cuts[index]), image })),
    input_ids: rendered.slice(begin(images.length)),
  };
}

/** The prompt's length, its images' tokens included. */
export function countTokens({ prefix, input_ids }: PromptWithImages): number {
  return prefix.reduce(
    (sum, { input_ids, image }) => sum + input_ids.length + image.image_embeds.shape[0],
    input_ids.length,
  );
}

/** A prompt's sequence, and how many positions of it were kept from an earlier prompt on the same images. */
export interface PrefilledPrompt extends PromptSequence {
  readonly cached_tokens: number;
}

/**
 * Reads the prompt up to its last image, or forks the sequence of an earlier one that begins the same.
 * @param room how many positions the rest of the prompt and the answer take
 */
export async function prefillPrompt(
  decoder: Decoder,
  { prefix, input_ids }: PromptWithImages,
  prefixes: PrefixCache,
  room: number,
): Promise<PrefilledPrompt> {
  const key = prefix.map(({ input_ids, image }) => `${input_ids.join(' ')} ${image.key}`).join(' ');
  const read: PastKeyValues[] = [];
  const past_key_values = await prefixes.fork(key, room, async () => {
    const made = await readPrefix(decoder, prefix);
    read.push(made);
    return made;
  });
  return {
    past_key_values,
    prompt_ids: [...prefix.flatMap((part) => part.input_ids), ...input_ids],
    input_ids,
    cached_tokens: read.length === 0 ? past_key_values.length : 0,
  };
}

/** Reads all of the prompt but its last token. */
export async function readPrompt(decoder: Decoder, prompt: PromptSequence): Promise<PromptSequence> {
  const { past_key_values, input_ids } = prompt;
  if (input_ids.length > 1) await decoder.forward([{ past_key_values, input_ids: input_ids.slice(0, -1) }]);
  return { ...prompt, input_ids: input_ids.slice(-1) };
}

/**
 * So many sequences that go on from a prompt. The caller's own.
 * @param room how many positions each will be extended by
 */
export function forkPrompt(prompt: PromptSequence, count: number, room: number): readonly PromptSequence[] {
  const forks: PromptSequence[] = [];
  try {
    while (forks.length < count) {
      forks.push({ ...prompt, past_key_values: prompt.past_key_values.fork(room) });
    }
    return forks;
  } catch (error) {
    for (const { past_key_values } of forks) past_key_values.release(); // there was no memory for all
    throw error;
  }
}

async function readPrefix(decoder: Decoder, prefix: PromptWithImages['prefix']): Promise<PastKeyValues> {
  const past_key_values = decoder.create(countTokens({ prefix, input_ids: [] }));
  for (const { input_ids, image } of prefix) {
    if (input_ids.length > 0) await decoder.forward([{ past_key_values, input_ids }]);
    await decoder.forward([{ past_key_values, inputs_embeds: image.image_embeds.data }]);
  }
  return past_key_values;
}
