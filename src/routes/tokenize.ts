import type { Context } from 'hono';
import * as z from 'zod';
import { GlimpseError } from '../errors.ts';
import { requireGenerative } from '../pipeline/bundle-kinds.ts';
import type { TextParts } from '../pipeline/text-parts.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { renderPrompt, textsOf, type ChatMessage } from '../text/prompt.ts';
import { MAX_TEXT_LENGTH, requireTextLength } from '../text/text-length.ts';
import { tokenText } from '../text/token-text.ts';
import { messageSchema } from './chat/message-schema.ts';
import { readJson } from './read-json.ts';
import { requestContext } from './request-context.ts';

const tokenIds = z.array(z.int().min(0));

/** What `POST /tokenize` takes: a text, or a conversation as the model reads it. */
export const tokenizeRequest = z
  .strictObject({
    text: z
      .string()
      .optional()
      .meta({ description: 'Special tokens in it are text.', example: 'What is this?' }),
    messages: z.array(messageSchema).min(1).optional().meta({
      description:
        "As in /v1/chat/completions, by the model's chat template. An image, which need not exist, is one token here, in whose place its embeddings stand.",
    }),
    strings: z.boolean().default(false).meta({ description: 'Whether to tell what each token reads.' }),
  })
  .refine(({ text, messages }) => (text === undefined) !== (messages === undefined), {
    path: ['text'],
    error: 'send either text or messages',
  });

export const tokenizeResponse = z.strictObject({
  tokens: tokenIds,
  count: z.int().min(0),
  strings: z
    .array(z.string())
    .optional()
    .meta({ description: 'Bytes that are no whole characters read U+FFFD.' }),
});

/** What `POST /detokenize` takes. */
export const detokenizeRequest = z.strictObject({
  tokens: tokenIds
    .max(MAX_TEXT_LENGTH)
    .meta({ description: 'Special tokens have no text.', example: [293, 1191] }),
});

export const detokenizeResponse = z.strictObject({ text: z.string() });

/** `POST /tokenize`: the ids that the model reads. */
export async function tokenize(c: Context, pipeline: Pipeline, max_body_bytes: number): Promise<Response> {
  const request = await readJson(c.req.raw, tokenizeRequest, max_body_bytes);
  const bundle = requireGenerative(await pipeline.bundle(requestContext(c)));
  const parts = await bundle.text();
  const tokens = encode(request, parts);
  const strings = request.strings
    ? { strings: tokens.map((id) => tokenText(parts.tokenizer, id).token) }
    : {};
  return c.json({ tokens, count: tokens.length, ...strings });
}

/** `POST /detokenize`: the text that ids stand for. */
export async function detokenize(c: Context, pipeline: Pipeline, max_body_bytes: number): Promise<Response> {
  const { tokens } = await readJson(c.req.raw, detokenizeRequest, max_body_bytes);
  const bundle = requireGenerative(await pipeline.bundle(requestContext(c)));
  const { vocab_size } = bundle.model;
  const unknown = tokens.findIndex((id) => id >= vocab_size);
  if (unknown >= 0) {
    const message = `tokens.${unknown}: there is no token ${tokens[unknown] ?? ''}: the last is ${vocab_size - 1}.`;
    throw new GlimpseError('invalid_value', message, { param: `tokens.${unknown}` });
  }
  const { tokenizer } = await bundle.text();
  return c.json({ text: tokenizer.decode(tokens) });
}

function encode(
  { text, messages = [] }: z.infer<typeof tokenizeRequest>,
  { tokenizer, chat_template }: TextParts,
): number[] {
  if (text !== undefined) {
    requireTextLength([text], 'text');
    return tokenizer.encode(text);
  }
  const chat = messages.map(chatMessage);
  requireTextLength(textsOf(chat), 'messages');
  return renderPrompt(tokenizer, chat_template, chat);
}

function chatMessage({ role, content }: z.infer<typeof messageSchema>): ChatMessage {
  const parts = typeof content === 'string' ? [{ type: 'text', text: content } as const] : content;
  return {
    role: role === 'developer' ? 'system' : role,
    content: parts.map((part) => (part.type === 'text' ? part : { type: 'image' })),
  };
}
