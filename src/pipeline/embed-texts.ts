import { yieldToEventLoop } from '../event-loop.ts';
import type { DualBundle } from './loaded-bundle.ts';
import { shared, type RequestContext } from './request-context.ts';
import type { Stopwatch } from './timings.ts';

/** `param` is how errors name the text. */
export interface TextToEmbed {
  readonly text: string;
  readonly param: string;
}

export interface EmbeddedTexts {
  readonly text_embeds: readonly Float32Array[]; // [texts][projection_dim], each of length 1
  /** Of all texts, with those that the tokenizer puts around each. */
  readonly prompt_tokens: number;
}

/** All texts are looked at before the text half is loaded. @throws GlimpseError context_length_exceeded */
export async function embedTexts(
  bundle: DualBundle,
  texts: readonly TextToEmbed[],
  context: RequestContext,
  { time }: Stopwatch,
): Promise<EmbeddedTexts> {
  const input = await time('load', () => shared(context, bundle.text()));
  const encoded = texts.map(({ text, param }) => input.encode(text, param));
  const embedder = await time('load', () => shared(context, bundle.model.text_embedder()));
  const text_embeds: Float32Array[] = [];
  await time('text', async () => {
    for (const { input_ids } of encoded) {
      await yieldToEventLoop();
      context.signal.throwIfAborted();
      text_embeds.push(embedder.embed(input_ids));
    }
  });
  return { text_embeds, prompt_tokens: encoded.reduce((sum, { tokens }) => sum + tokens, 0) };
}
