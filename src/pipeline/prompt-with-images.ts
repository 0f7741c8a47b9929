import type { EmbeddedImage } from './embed-image.ts';
import { GlimpseError } from '../errors.ts';
import type { TextParts } from './text-parts.ts';
import type { DecoderInput } from '../model/types.ts';
import { renderPrompt, textsOf, type ChatMessage } from '../text/prompt.ts';
import { requireTextLength } from '../text/text-length.ts';

/** A prompt cut behind its last image. */
export interface PromptWithImages {
  /** All of it, with the image token once for each row of embeddings. */
  readonly prompt_ids: readonly number[];
  /** Names what `prefix` holds, images and tokens. */
  readonly prefix_key: string;
  /** What the decoder reads up to the end of the last image, in order. */
  readonly prefix: readonly PromptPart[];
  /** The tokens behind it. */
  readonly input_ids: readonly number[];
}

type PromptPart = DistributiveOmit<DecoderInput, 'past_key_values'>;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/**
 * @param image_token_id undefined: images are read before the prompt, and take no positions of the context
 * @throws GlimpseError invalid_value if the chat template refuses a message, a text or an image;
 * context_length_exceeded for more text than is read
 */
export function promptWithImages(
  { tokenizer, chat_template, image_prompt }: Omit<TextParts, 'generation_defaults'>,
  messages: readonly ChatMessage[],
  image_token_id: number | undefined,
  images: readonly EmbeddedImage[],
): PromptWithImages {
  requireTextLength(textsOf(messages), 'prompt');
  if (image_prompt === undefined || image_token_id === undefined) {
    const prompt_ids = renderPrompt(tokenizer, chat_template, messages);
    const prefix = images.map(({ image_embeds }) => ({ inputs_embeds: image_embeds.data }));
    return { prompt_ids, prefix_key: images.map(({ key }) => key).join(' '), prefix, input_ids: prompt_ids };
  }
  const written = images.map(({ image_embeds: { shape, grid } }) =>
    image_prompt.write({ tokens: shape[0], grid }),
  );
  const prompt_ids = renderPrompt(tokenizer, chat_template, messages, {
    placeholder: image_prompt.image_token,
    written,
  });
  return cutAtImages(prompt_ids, image_token_id, images);
}

/**
 * Embeddings in the place of image tokens, in order.
 * @throws GlimpseError bundle_invalid if there are more or fewer of the ones than of the others
 */
export function cutAtImages(
  prompt_ids: readonly number[],
  image_token_id: number,
  images: readonly EmbeddedImage[],
): PromptWithImages {
  const rows = images.reduce((sum, { image_embeds }) => sum + image_embeds.shape[0], 0);
  const tokens = prompt_ids.filter((id) => id === image_token_id).length;
  if (tokens !== rows) {
    throw new GlimpseError(
      'bundle_invalid',
      `The prompt has ${tokens} image tokens and the model gives its images ${rows} embeddings: tokenizer and model are not of one kind.`,
    );
  }
  const prefix = prefixParts(prompt_ids, image_token_id, images);
  const names = prefix.map((part) =>
    'input_ids' in part ? part.input_ids.join(' ') : `[${part.inputs_embeds.length}]`,
  );
  return {
    prompt_ids,
    prefix_key: [...images.map(({ key }) => key), ...names].join(' '),
    prefix,
    input_ids: prompt_ids.slice(prompt_ids.lastIndexOf(image_token_id) + 1),
  };
}

/** The images' rows in order, each run of them where its image tokens stand, and the tokens between. */
function prefixParts(
  ids: readonly number[],
  image_token_id: number,
  images: readonly EmbeddedImage[],
): PromptPart[] {
  const parts: PromptPart[] = [];
  let from = 0;
  for (const { image_embeds } of images) {
    const { data, shape } = image_embeds;
    const [rows, hidden] = shape;
    for (let row = 0; row < rows;) {
      const start = ids.indexOf(image_token_id, from);
      if (start > from) parts.push({ input_ids: ids.slice(from, start) });
      let end = start + 1;
      while (ids[end] === image_token_id && row + end - start < rows) end++;
      parts.push({ inputs_embeds: data.subarray(row * hidden, (row + end - start) * hidden) });
      row += end - start;
      from = end;
    }
  }
  return parts;
}
