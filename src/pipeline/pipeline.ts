import { createAnswerBudget } from '../admission/admission.ts';
import { classify } from '../classify/classify.ts';
import type { Classification, ImageQuery } from '../classify/classify-image.ts';
import type { ImageHandle } from '../cache/image-handle.ts';
import type { Conversation, Message, MessagePart, OnDelta, Reply } from './conversation.ts';
import { converse } from './converse.ts';
import { requireDual, requireGenerative } from './bundle-kinds.ts';
import { createCurrentBundle } from './current-bundle.ts';
import {
  createEmbedImage,
  type EmbeddedImage,
  type EmbedImageConfig,
  type ImageInput,
} from './embed-image.ts';
import { embedTexts, type EmbeddedTexts, type TextToEmbed } from './embed-texts.ts';
import type { GenerationOptions } from '../generation/config.ts';
import type { LoadedBundle } from './loaded-bundle.ts';
import { createPrefixCache } from '../model/prefix-cache.ts';
import { UNOBSERVED } from './observer.ts';
import { shared, type RequestContext } from './request-context.ts';
import { takesText } from '../text/prompt.ts';
import { createStopwatch, type Stopwatch } from './timings.ts';

export type { ImageInput } from './embed-image.ts';

export interface Query extends RequestContext {
  readonly image: ImageInput;
  readonly prompt: string;
  /** Whether the image is asked alone where the model's prompts have no place for text. */
  readonly is_caption?: boolean;
  readonly generation: GenerationOptions;
}

export interface Answer {
  readonly answer: string;
  readonly image: ImageHandle;
  readonly cache: 'hit' | 'miss';
  readonly finish_reason: 'stop' | 'length';
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly total_tokens: number;
  };
  /** Milliseconds by stage. */
  readonly timings: Readonly<Record<string, number>>;
}

export interface BundleStatus {
  /** The digest of the whole, once its manifest has been read. */
  readonly digest: string | null;
  /** Which halves are in memory. */
  readonly loaded: { readonly vision: boolean; readonly text: boolean };
}

/** Hears the answer as it is made; the next token waits for what it returns. */
export type OnText = (delta: string) => void | Promise<void>;

export interface Pipeline {
  /** The model's name, as answers give it. */
  readonly model: string;
  /** The conversation of one question about one image. */
  ask(query: Query, onText?: OnText): Promise<Answer>;
  converse(conversation: Conversation, onDelta?: OnDelta): Promise<Reply>;
  /** An image's embeddings: from the cache, or made and cached. */
  embed(image: ImageInput, context: RequestContext): Promise<EmbeddedImage>;
  /** Texts in the space of images. @throws GlimpseError invalid_value if the model embeds none */
  embedTexts(texts: readonly TextToEmbed[], context: RequestContext): Promise<EmbeddedTexts>;
  /** The image as one of the query's labels, or of the model's own where there are none. */
  classify(query: ImageQuery): Promise<Classification>;
  /** The bundle opened: none of its weights are fetched for that. */
  bundle(context: RequestContext): Promise<LoadedBundle>;
  status(): BundleStatus;
  usage(): Usage;
}

/** What the isolate has fetched and holds. */
export interface Usage {
  readonly fetched: LoadedBundle['fetched'];
  /** Bytes: all of WebAssembly's memory, what of it is allocated, and embeddings in the memory's cache. */
  readonly memory: { readonly wasm: number; readonly kernels: number; readonly image_embeds: number };
}

export interface PipelineConfig extends EmbedImageConfig {
  /** The bundle's id, as answers name the model. */
  readonly model: string;
  /** Opens the bundle and makes the engine: nothing of it happens before the first request. */
  readonly load: () => Promise<LoadedBundle>;
  /** Of keys and values of image prefixes that are kept. */
  readonly max_prefix_bytes: number;
}

const NOTHING_FETCHED: Usage['fetched'] = new Map();

export function createPipeline(config: PipelineConfig): Pipeline {
  const { observer = UNOBSERVED } = config;
  const embedImage = createEmbedImage(config);
  const answerBudget = createAnswerBudget();
  const prefixes = createPrefixCache(config.max_prefix_bytes);
  const current = createCurrentBundle(config.load, () => prefixes.clear());

  /** A request's way from its beginning to its end, by stage. It ends in order even when its client leaves. */
  function way<T>(context: RequestContext, go: (stopwatch: Stopwatch) => Promise<T>): Promise<T> {
    observer.onBegin();
    const stopwatch = createStopwatch(observer.onStage);
    return shared(context, current.upToDate(() => go(stopwatch)).finally(observer.onEnd));
  }

  function open(context: RequestContext, { time }: Stopwatch): Promise<LoadedBundle> {
    return time('load', () => shared(context, current.open()));
  }

  async function readsText(context: RequestContext, stopwatch: Stopwatch): Promise<boolean> {
    const bundle = requireGenerative(await open(context, stopwatch));
    return takesText((await stopwatch.time('load', () => shared(context, bundle.text()))).chat_template);
  }

  const stages = { open, embedImage, prefixes, answerBudget, observer };

  async function answer(query: Query, onText: OnText, stopwatch: Stopwatch): Promise<Answer> {
    const isAlone = query.is_caption && !(await readsText(query, stopwatch));
    const conversation = {
      ...query,
      messages: [question(query, isAlone ? [] : [{ type: 'text', text: query.prompt }])],
      response_format: { type: 'text' },
    } as const;
    const { choices, images, usage } = await converse(
      stages,
      conversation,
      ({ text }) => (text === '' ? undefined : onText(text)),
      stopwatch,
    );
    const [choice] = choices;
    const [image] = images;
    if (choice === undefined || image === undefined) throw new Error('a question had no answer');
    const { prompt_tokens, completion_tokens, total_tokens } = usage;
    return {
      answer: choice.text,
      ...{ image: image.image, cache: image.cache, finish_reason: choice.finish_reason },
      usage: { prompt_tokens, completion_tokens, total_tokens },
      timings: stopwatch.timings(),
    };
  }

  return {
    model: config.model,
    ask: (query, onText = () => undefined) => way(query, (stopwatch) => answer(query, onText, stopwatch)),
    converse: (conversation, onDelta = () => undefined) =>
      way(conversation, (stopwatch) => converse(stages, conversation, onDelta, stopwatch)),
    embed: (image, context) =>
      way(context, async (stopwatch) =>
        embedImage(image, await open(context, stopwatch), context, stopwatch),
      ),
    embedTexts: (texts, context) =>
      way(context, async (stopwatch) =>
        embedTexts(requireDual(await open(context, stopwatch)), texts, context, stopwatch),
      ),
    classify: (query) =>
      way(query, async (stopwatch) => classify(stages, await open(query, stopwatch), query, stopwatch)),
    bundle: (context) => way(context, (stopwatch) => open(context, stopwatch)),
    status: () => ({
      digest: current.opened?.digest ?? null,
      loaded: current.opened?.model.loaded ?? { vision: false, text: false },
    }),
    usage: () => ({
      fetched: current.opened?.fetched ?? NOTHING_FETCHED,
      memory: {
        wasm: current.opened?.memory.size ?? 0,
        kernels: current.opened?.memory.used ?? 0,
        image_embeds: config.cache.bytes,
      },
    }),
  };
}

function question({ image }: Query, text: readonly MessagePart[]): Message {
  return { role: 'user', content: [{ type: 'image', image, param: 'image' }, ...text] };
}
