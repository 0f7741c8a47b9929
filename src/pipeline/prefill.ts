import type { PromptSequence } from '../generation/sequence.ts';
import type { PrefixCache } from '../model/prefix-cache.ts';
import type { Decoder, PastKeyValues } from '../model/types.ts';
import type { PromptWithImages } from './prompt-with-images.ts';

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
  { prompt_ids, prefix_key, prefix, input_ids }: PromptWithImages,
  prefixes: PrefixCache,
  room: number,
): Promise<PrefilledPrompt> {
  const read: PastKeyValues[] = [];
  const past_key_values = await prefixes.fork(prefix_key, decoder, room, async () => {
    const made = await readPrefix(decoder, prefix, prompt_ids.length - input_ids.length);
    read.push(made);
    return made;
  });
  return {
    past_key_values,
    prompt_ids,
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

async function readPrefix(
  decoder: Decoder,
  prefix: PromptWithImages['prefix'],
  positions: number,
): Promise<PastKeyValues> {
  const past_key_values = decoder.create(positions);
  for (const part of prefix) await decoder.forward([{ past_key_values, ...part }]);
  return past_key_values;
}
