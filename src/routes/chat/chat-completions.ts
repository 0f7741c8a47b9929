import type { Context } from 'hono';
import type { Conversation } from '../../pipeline/conversation.ts';
import type { Pipeline } from '../../pipeline/pipeline.ts';
import { requireModel } from '../model-id.ts';
import { readJsonRequest } from '../read-request.ts';
import { requestContext } from '../request-context.ts';
import { answerHead, completionBody } from './body.ts';
import { conversation, namedAsInBody } from './conversation.ts';
import { requestError } from './request-error.ts';
import { chatRequestSchema, type ChatRequestBody } from './schema.ts';
import { streamCompletion } from './stream-completion.ts';

/** `POST /v1/chat/completions`, as OpenAI documents it for vision (platform.openai.com/docs/api-reference/chat). */
export async function chatCompletions(
  c: Context,
  pipeline: Pipeline,
  max_body_bytes: number,
): Promise<Response> {
  const body = validated(await readJsonRequest(c.req.raw, max_body_bytes));
  requireModel(body.model, pipeline);
  const asked: Conversation = { ...conversation(body), ...requestContext(c) };
  const head = answerHead(pipeline.model);
  try {
    if (body.stream) return await streamCompletion(c, pipeline, head, body, asked);
    return c.json(completionBody(head, body, await pipeline.converse(asked)));
  } catch (error) {
    throw namedAsInBody(error, body);
  }
}

function validated(body: unknown): ChatRequestBody {
  const result = chatRequestSchema.safeParse(body);
  if (result.success) return result.data;
  throw requestError(result.error, body);
}
