import * as z from 'zod';
import type { Answer } from '../pipeline/pipeline.ts';

/** What `/v1/query` and `/v1/caption` answer, and what a stream ends with. */
export const answerBodySchema = z.strictObject({
  id: z.string(),
  model: z.string(),
  answer: z.string(),
  image: z.templateLiteral(['sha256:', z.string().regex(/^[0-9a-f]{64}$/)]),
  cache: z.enum(['hit', 'miss']),
  finish_reason: z.enum(['stop', 'length']),
  usage: z.strictObject({
    prompt_tokens: z.int().min(0),
    completion_tokens: z.int().min(0),
    total_tokens: z.int().min(0),
  }),
  timings: z.record(z.string(), z.number().min(0)).meta({ description: 'Milliseconds by stage.' }),
});

export type AnswerBody = z.infer<typeof answerBodySchema>;

export function answerBody(model: string, answer: Answer): AnswerBody {
  return { id: `query-${crypto.randomUUID()}`, model, ...answer };
}
