import type { Conversation, Message, MessagePart } from '../../pipeline/conversation.ts';
import { GlimpseError } from '../../errors.ts';
import type { ChatOptions } from '../../generation/config.ts';
import type { ResponseFormat } from '../../pipeline/response-format.ts';
import { imageInput } from '../image-input.ts';
import type { ChatMessageBody } from './message-schema.ts';
import { dotted } from './request-error.ts';
import type { ChatRequestBody } from './schema.ts';

/** What the pipeline is asked by a request's body. */
export function conversation(
  body: ChatRequestBody,
): Pick<Conversation, 'messages' | 'generation' | 'response_format'> {
  return {
    messages: body.messages.map(message),
    generation: chatOptions(body),
    response_format: responseFormat(body),
  };
}

/** Names fields of the body where the pipeline names its own. */
export function namedAsInBody(error: unknown, body: ChatRequestBody): unknown {
  if (!(error instanceof GlimpseError)) return error;
  const names: Readonly<Record<string, string>> = {
    prompt: 'messages',
    max_new_tokens: body.max_tokens == null ? 'max_completion_tokens' : 'max_tokens',
    num_return_sequences: 'n',
    top_logprobs: 'logprobs',
  };
  const param = names[error.param ?? ''];
  return param === undefined ? error : new GlimpseError(error.code, error.message, { param, cause: error });
}

function message({ role, content }: ChatMessageBody, index: number): Message {
  const parts = typeof content === 'string' ? [{ type: 'text', text: content } as const] : content;
  return {
    role: role === 'developer' ? 'system' : role, // OpenAI's newer name for it
    content: parts.map((part, place): MessagePart => {
      if (part.type === 'text') return part;
      const param = dotted(['messages', index, 'content', place, 'image_url', 'url']);
      return { type: 'image', image: imageInput(part.image_url.url, param), param };
    }),
  };
}

function chatOptions(body: ChatRequestBody): ChatOptions {
  const { stop, logit_bias } = body;
  return given({
    ...sampling(body),
    max_new_tokens: body.max_completion_tokens ?? body.max_tokens,
    stop_strings: typeof stop === 'string' ? [stop] : stop,
    num_return_sequences: body.n,
    presence_penalty: body.presence_penalty,
    frequency_penalty: body.frequency_penalty,
    repetition_penalty: body.repetition_penalty,
    logit_bias: logit_bias && new Map(Object.entries(logit_bias).map(([id, bias]) => [Number(id), bias])),
    top_logprobs: body.logprobs ? (body.top_logprobs ?? 0) : undefined,
    num_beams: body.num_beams,
    length_penalty: body.length_penalty,
  });
}

function sampling({ temperature, top_p, top_k, min_p, seed }: ChatRequestBody): Optional<ChatOptions> {
  // The likeliest token is among those that top_p, top_k and min_p leave, and takes no chance:
  // temperature 0 honours them, whatever they are.
  if (temperature === 0) return { do_sample: false };
  const none = [temperature, top_p, top_k, min_p, seed].every((option) => option == null);
  if (none) return {};
  // transformers draws from 50 tokens where nobody says otherwise, OpenAI from all.
  return { temperature, top_p, top_k: top_k ?? 0, min_p, seed };
}

type Optional<T> = { readonly [K in keyof T]?: T[K] | null | undefined };

function given(options: Optional<ChatOptions>): ChatOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value != null));
}

function responseFormat({ response_format: format }: ChatRequestBody): ResponseFormat {
  if (format?.type !== 'json_schema') return format ?? { type: 'text' };
  const { schema, strict } = format.json_schema;
  return { type: 'json_schema', schema, strict: strict ?? false };
}
