import { createHash } from 'node:crypto';
import OpenAI from 'openai';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionContentPartImage,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import { photo, startWorker, type TestWorker } from './worker.ts';

export const MODEL = 'glimpse-10m';
export const QUESTION = 'Describe the image.';

/** OpenAI's own client, with the options that other servers add. */
export type Options = Partial<ChatCompletionCreateParamsNonStreaming> & {
  readonly top_k?: number;
  readonly min_p?: number;
  readonly repetition_penalty?: number;
  readonly num_beams?: number;
  readonly length_penalty?: number;
};

export interface ChatWorker {
  readonly worker: TestWorker;
  readonly client: OpenAI;
  /** The question about the astronaut, by handle. */
  ask(options?: Options): Promise<ChatCompletion>;
  stream(options?: Options): Promise<ChatCompletionChunk[]>;
  readonly question: ChatCompletionMessageParam[];
  readonly dataUrl: string;
  readonly handle: string;
  close(): Promise<void>;
}

export async function startChatWorker(): Promise<ChatWorker> {
  const [worker, astronaut] = await Promise.all([startWorker(), photo('astronaut.png')]);
  const client = new OpenAI({
    baseURL: new URL('/v1', worker.url).href,
    apiKey: 'none needed',
    maxRetries: 0,
  });
  const dataUrl = `data:image/png;base64,${astronaut.toString('base64')}`;
  const handle = `sha256:${createHash('sha256').update(astronaut).digest('hex')}`;
  const question = [user(QUESTION, handle)];
  const asked = { model: MODEL, messages: question };
  const ask: ChatWorker['ask'] = (options = {}) => client.chat.completions.create({ ...asked, ...options });
  const stream: ChatWorker['stream'] = async (options = {}) => {
    const chunks: ChatCompletionChunk[] = [];
    const request = { ...asked, ...options, stream: true as const };
    for await (const chunk of await client.chat.completions.create(request)) {
      chunks.push(chunk);
    }
    return chunks;
  };
  await ask({ messages: [user(QUESTION, dataUrl)] }); // from here on the handle is known
  return { worker, client, ask, stream, question, dataUrl, handle, close: () => worker.close() };
}

export function image(url: string): ChatCompletionContentPartImage {
  return { type: 'image_url', image_url: { url } };
}

export function user(text: string, url?: string): ChatCompletionMessageParam {
  return { role: 'user', content: [{ type: 'text', text }, ...(url === undefined ? [] : [image(url)])] };
}

export function textOf({ choices }: ChatCompletion): string {
  return choices[0]?.message.content ?? '';
}

/** What a stream's chunks say of one of its answers. */
export function streamed(chunks: readonly ChatCompletionChunk[], index = 0): string {
  return chunks
    .flatMap(({ choices }) => choices)
    .filter((choice) => choice.index === index)
    .map(({ delta }) => delta.content ?? '')
    .join('');
}
