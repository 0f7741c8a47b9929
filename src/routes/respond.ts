import type { Context } from 'hono';
import type { Pipeline, Query } from '../pipeline/pipeline.ts';
import type { RequestContext } from '../pipeline/request-context.ts';
import { answerBody } from './answer-body.ts';
import { requestContext } from './request-context.ts';
import { streamAnswer } from './stream-answer.ts';

/** Asks the pipeline, and answers whole or as a stream. */
export async function respond(
  c: Context,
  pipeline: Pipeline,
  question: Omit<Query, keyof RequestContext>,
  stream: boolean,
): Promise<Response> {
  const query = { ...question, ...requestContext(c) };
  if (stream) return streamAnswer(c, pipeline, query);
  const asked = pipeline.ask(query);
  query.waitUntil(asked.catch(() => undefined)); // so that it ends in order when the client leaves
  return c.json(answerBody(pipeline.model, await asked));
}
