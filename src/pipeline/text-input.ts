import * as z from 'zod';
import type { Bundle } from '../bundle/bundle.ts';
import { GlimpseError } from '../errors.ts';
import type { DualEncoder } from '../model/types.ts';
import { requireTextLength } from '../text/text-length.ts';
import { createTokenizer, type Tokenizer } from '../text/tokenizer.ts';

/** What turns a text into ids for a dual encoder. */
export interface TextInput {
  /**
   * @param param how errors name the text
   * @throws GlimpseError context_length_exceeded
   */
  encode(text: string, param: string): EncodedText;
}

export interface EncodedText {
  readonly input_ids: readonly number[];
  /** How many of them are the text and what stands around every one: the others fill it up. */
  readonly tokens: number;
}

const padded = z.object({ pad_token: z.union([z.string(), z.object({ content: z.string() })]) });

/** @throws GlimpseError bundle_invalid */
export async function readTextInput(
  bundle: Bundle,
  { max_position_embeddings: most, padding }: Pick<DualEncoder, 'max_position_embeddings' | 'padding'>,
): Promise<TextInput> {
  const config = await bundle.json('tokenizer_config.json');
  const tokenizer = createTokenizer(await bundle.json('tokenizer.json'), config);
  const pad = padding === 'max_length' ? [padTokenId(tokenizer, config)] : [];
  return {
    encode(text, param) {
      requireTextLength([text], param);
      const ids = tokenizer.wrap(tokenizer.encode(text));
      if (ids.length > most) {
        throw new GlimpseError(
          'context_length_exceeded',
          `${param}: the text has ${ids.length} tokens; the model reads at most ${most}: shorten it.`,
          { param },
        );
      }
      const filling = pad.flatMap((id) => Array<number>(most - ids.length).fill(id));
      return { input_ids: [...ids, ...filling], tokens: ids.length };
    },
  };
}

function padTokenId(tokenizer: Tokenizer, config: unknown): number {
  const { pad_token } = padded.partial().parse(config);
  const id = tokenizer.special.get(typeof pad_token === 'string' ? pad_token : (pad_token?.content ?? ''));
  if (id !== undefined) return id;
  throw new GlimpseError(
    'bundle_invalid',
    'tokenizer_config.json names no pad_token that is a special token of tokenizer.json: the model reads texts filled up with it.',
  );
}
