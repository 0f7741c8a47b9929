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
  { max_new_tokens }: GenerationConfig,
): number {
  const room = max_position_embeddings - prompt_tokens;
  if (room >= 1) return Math.min(max_new_tokens, room);
  throw new GlimpseError(
    'context_length_exceeded',
    `The prompt has ${prompt_tokens} tokens, its image's included; with an answer, at most ${max_position_embeddings} fit: shorten the prompt`,
    { param: 'prompt' },
  );
}
