import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { ChoiceDelta, Conversation, Reply } from '../../pipeline/conversation.ts';
import type { Pipeline } from '../../pipeline/pipeline.ts';
import { errorBody } from '../error-response.ts';
import { pieces } from '../pieces.ts';
import { createChunks, type answerHead } from './body.ts';
import { namedAsInBody } from './conversation.ts';
import type { ChatRequestBody } from './schema.ts';

interface Told {
  readonly delta: ChoiceDelta;
  readonly digest: string;
}

/**
 * Server-sent events: chunks, then `[DONE]`. After the first byte an error is an event like the others,
 * which OpenAI's clients throw, and the last.
 * @throws what the pipeline throws before its first token, so that it still has a status of its own
 */
export async function streamCompletion(
  c: Context,
  pipeline: Pipeline,
  head: ReturnType<typeof answerHead>,
  body: ChatRequestBody,
  conversation: Conversation,
): Promise<Response> {
  const left = new AbortController();
  const signal = AbortSignal.any([conversation.signal, left.signal]);
  const request = { ...conversation, signal };
  const told = pieces<Told, Reply>(request, (tell) =>
    pipeline.converse(request, (delta, digest) => tell({ delta, digest })),
  );
  const chunks = createChunks(head, body);
  let next = await told.next();

  return streamSSE(c, async (events) => {
    events.onAbort(() => left.abort());
    const write = (data: unknown): Promise<void> => events.writeSSE({ data: JSON.stringify(data) });
    try {
      if (!next.done) for (const chunk of chunks.roles(next.value.digest)) await write(chunk);
      for (; !next.done; next = await told.next()) {
        await write(chunks.delta(next.value.delta, next.value.digest));
      }
      for (const chunk of chunks.usage(next.value)) await write(chunk);
      await events.writeSSE({ data: '[DONE]' });
    } catch (error) {
      if (signal.aborted) return;
      await write(errorBody(namedAsInBody(error, body)));
    }
  });
}
