import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Answer, Pipeline, Query } from '../pipeline/pipeline.ts';
import { answerBody } from './answer-body.ts';
import { errorBody } from './error-response.ts';
import { pieces } from './pieces.ts';

/**
 * Server-sent events: `{"delta":"..."}` for each piece of text, then the whole answer as it is without
 * streaming, then `[DONE]`; after the first byte an error is an `error` event that ends the stream.
 * @throws what the pipeline throws before its first text, so that it still has a status of its own.
 */
export async function streamAnswer(c: Context, pipeline: Pipeline, query: Query): Promise<Response> {
  const left = new AbortController();
  const signal = AbortSignal.any([query.signal, left.signal]);
  const request = { ...query, signal };
  const texts = pieces<string, Answer>(request, (tell) => pipeline.ask(request, tell));
  let text = await texts.next();

  return streamSSE(c, async (events) => {
    events.onAbort(() => left.abort());
    try {
      for (; !text.done; text = await texts.next()) {
        await events.writeSSE({ data: JSON.stringify({ delta: text.value }) });
      }
      await events.writeSSE({ data: JSON.stringify(answerBody(pipeline.model, text.value)) });
      await events.writeSSE({ data: '[DONE]' });
    } catch (error) {
      if (signal.aborted) return;
      await events.writeSSE({ event: 'error', data: JSON.stringify(errorBody(error)) });
    }
  });
}
