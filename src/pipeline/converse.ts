import type { AnswerBudget } from '../admission/admission.ts';
import { answerInWaves } from './answer-in-waves.ts';
import { answerText } from './answer-text.ts';
import type { Conversation, Message, MessagePart, OnDelta, Reply } from './conversation.ts';
import type { EmbedImage, EmbeddedImage } from './embed-image.ts';
import { GlimpseError } from '../errors.ts';
import { resolveGenerationConfig, type GenerationConfig } from '../generation/config.ts';
import { maxNewTokens } from '../generation/context.ts';
import type { PromptSequence } from '../generation/sequence.ts';
import type { LoadedBundle } from './loaded-bundle.ts';
import { requireGenerative } from './bundle-kinds.ts';
import type { PrefixCache } from '../model/prefix-cache.ts';
import type { Observer } from './observer.ts';
import { prefillPrompt, readPrompt } from './prefill.ts';
import { promptWithImages } from './prompt-with-images.ts';
import { shared, type RequestContext } from './request-context.ts';
import { constrainAnswer, responseGrammar } from './response-format.ts';
import { takeTurns } from './take-turns.ts';
import type { Stopwatch } from './timings.ts';

export interface Stages {
  readonly open: (context: RequestContext, stopwatch: Stopwatch) => Promise<LoadedBundle>;
  readonly embedImage: EmbedImage;
  readonly prefixes: PrefixCache;
  readonly answerBudget: AnswerBudget;
  readonly observer: Observer;
}

/** The way of a conversation, from messages to answers. */
export async function converse(
  { open, embedImage, prefixes, answerBudget, observer }: Stages,
  conversation: Conversation,
  onDelta: OnDelta,
  stopwatch: Stopwatch,
): Promise<Reply> {
  const { messages, generation, signal } = conversation;
  const { time } = stopwatch;
  const grammar = responseGrammar(conversation.response_format);
  const bundle = requireGenerative(await open(conversation, stopwatch));
  const { model, digest } = bundle;
  const images: EmbeddedImage[] = [];
  for (const { image, param } of imagesOf(messages, model.max_images)) {
    images.push(await named(param, embedImage(image, bundle, conversation, stopwatch)));
  }
  const text = await time('load', () => shared(conversation, bundle.text()));
  const { tokenizer } = text;
  const decoder = await time('load', () => shared(conversation, model.decoder()));

  const config = resolveGenerationConfig(text.generation_defaults, generation);
  requireKnown(config.logit_bias, decoder.vocab_size);
  const prompt = promptWithImages(text, messages, model.image_token_id, images);
  const prompt_tokens = prompt.prompt_ids.length;
  const limit = maxNewTokens(decoder, prompt_tokens, config); // refuses what is too long before it is read
  const constraint = grammar && constrainAnswer(grammar, tokenizer, decoder.vocab_size, config, limit);

  const positions = prompt.input_ids.length + limit;
  const { num_beams, num_return_sequences: count } = config;
  const at_once = Math.min(count, answerBudget.branches(decoder, positions));
  requireRoomForBeams(num_beams, positions, answerBudget.branches(decoder, positions));
  const branches = Math.max(num_beams, at_once);
  const sequences = Math.max(num_beams, count) === 1 ? 1 : branches + 1; // the prompt's own stays
  const held: { release(): void }[] = [
    await time('queue', () => answerBudget.acquire(decoder, positions, sequences, conversation)),
  ];
  try {
    const prefilled = await time('prefill', () => prefillPrompt(decoder, prompt, prefixes, positions));
    observer.onPromptTokens(prompt_tokens);
    held.push(prefilled.past_key_values);
    const answer = (sequence: PromptSequence, index: number): ReturnType<typeof answerText> =>
      answerText(sequence, {
        ...{ decoder, tokenizer, constraint, signal },
        config: withSeedOf(config, index),
        onToken: observer.onToken,
      });
    const tell: Parameters<typeof takeTurns>[2] = (delta) => onDelta(delta, digest);
    const read = count === 1 ? prefilled : await time('prefill', () => readPrompt(decoder, prefilled));
    const { texts, logprobs } = await time('decode', () =>
      count === 1
        ? takeTurns([answer(read, 0)], tokenizer, tell)
        : answerInWaves(read, { count, at_once, room: limit }, answer, tokenizer, tell),
    );
    const completion_tokens = texts.reduce((sum, text) => sum + text.completion_tokens, 0);
    return {
      choices: texts.map(({ text, finish_reason }, index) => ({
        text,
        finish_reason,
        logprobs: logprobs[index] ?? [],
      })),
      ...{ images, digest },
      usage: {
        ...{ prompt_tokens, cached_tokens: prefilled.cached_tokens, completion_tokens },
        total_tokens: prompt_tokens + completion_tokens,
      },
    };
  } finally {
    for (const each of held.toReversed()) each.release();
  }
}

/** @throws GlimpseError missing_image, or invalid_value for the first image too many */
function imagesOf(
  messages: readonly Message[],
  max_images: number,
): readonly Extract<MessagePart, { type: 'image' }>[] {
  const images = messages.flatMap(({ content }) => content.filter((part) => part.type === 'image'));
  const surplus = images[max_images];
  if (images.length === 0) {
    throw new GlimpseError('missing_image', 'No message has an image: this model answers about one.', {
      param: 'messages',
    });
  }
  if (surplus) {
    throw new GlimpseError(
      'invalid_value',
      `There are ${images.length} images in the conversation: this model takes ${max_images}.`,
      { param: surplus.param },
    );
  }
  return images;
}

/** An error about "the image" is about the one that the caller calls by that name. */
async function named<T>(param: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof GlimpseError) || error.param !== 'image') throw error;
    throw new GlimpseError(error.code, error.message.replace(/^image\b/, param), { param, cause: error });
  }
}

function requireKnown(logit_bias: ReadonlyMap<number, number>, vocab_size: number): void {
  const unknown = [...logit_bias.keys()].find((id) => id >= vocab_size);
  if (unknown === undefined) return;
  throw new GlimpseError(
    'invalid_value',
    `logit_bias: there is no token ${unknown}: the last is ${vocab_size - 1}.`,
    { param: 'logit_bias' },
  );
}

/** Beams go on side by side: where they do not fit in memory together, no waiting helps. */
function requireRoomForBeams(num_beams: number, positions: number, most: number): void {
  if (num_beams === 1 || num_beams <= most) return;
  throw new GlimpseError(
    'invalid_value',
    `num_beams ${num_beams} is too many for answers of this length (${positions} tokens with the prompt): at most ${most} fit; shorten the answer or take fewer`,
    { param: 'num_beams' },
  );
}

/** Answers of one seed differ from each other, and are the same the next time. */
function withSeedOf(config: GenerationConfig, index: number): GenerationConfig {
  return config.seed === null ? config : { ...config, seed: (config.seed + index) >>> 0 };
}
