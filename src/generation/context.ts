import { GlimpseError } from '../errors.ts';
import type { Decoder } from '../model/types.ts';
import type { GenerationConfig } from './config.ts';

/**
 * How many tokens may be generated after a prompt: max_new_tokens, or what the context has left.
 * @param prompt_tokens the prompt's length, its images' tokens included
 * @throws GlimpseError context_length_exceeded if the prompt leaves no room for one
 */
export function maxNewTokens(
  { max_position_embeddings }: Decoder,
  prompt_tokens: number,
  { max_new_tokens, max_length }: GenerationConfig,
): number {
  const context = Math.min(max_position_embeddings, max_length ?? Infinity);
  const room = context - prompt_tokens;
  if (room >= 1) return Math.min(max_new_tokens, room);
  throw new GlimpseError(
    'context_length_exceeded',
    `The prompt has ${prompt_tokens} tokens, its image's included; with an answer, at most ${context} fit: shorten the prompt.`,
    { param: 'prompt' },
  );
}
