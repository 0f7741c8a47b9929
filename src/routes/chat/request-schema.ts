import type * as z from 'zod';
import { chatFields, type ChatFields } from './chat-fields.ts';

/** What `POST /v1/chat/completions` takes: null is as good as absent. */
export const chatRequestSchema = chatFields.superRefine((body, context) => {
  const refused = contradiction(body);
  if (refused) context.addIssue({ code: 'custom', path: [refused[0]], message: refused[1], input: body });
});
export type ChatRequestBody = z.infer<typeof chatRequestSchema>;

/** The first field that cannot be honoured beside another, and why. */
function contradiction(body: ChatFields): readonly [field: keyof ChatFields, why: string] | undefined {
  const { max_tokens, max_completion_tokens, logprobs, stream, response_format } = body;
  if (max_tokens != null && max_completion_tokens != null && max_tokens !== max_completion_tokens) {
    return ['max_tokens', 'says otherwise than max_completion_tokens: leave out one of them'];
  }
  if (body.top_logprobs != null && !logprobs) return ['top_logprobs', 'needs "logprobs": true'];
  if (body.stream_options != null && !stream) return ['stream_options', 'needs "stream": true'];
  if (body.stop != null && (response_format?.type ?? 'text') !== 'text') {
    return ['stop', 'would cut the JSON that response_format asks for: leave out one of them'];
  }
  return (body.num_beams ?? 1) > 1 ? besideBeams(body) : besideNoBeams(body);
}

function besideBeams(body: ChatFields): readonly [keyof ChatFields, string] | undefined {
  const samples = (['top_p', 'top_k', 'min_p', 'seed', 'temperature'] as const).find(
    (name) => body[name] != null,
  );
  const why = 'cannot be combined with num_beams over 1';
  if (samples && body.temperature !== 0) return [samples, why];
  if ((body.n ?? 1) > 1) return ['n', why];
  if (body.logprobs) return ['logprobs', why];
  // Beam search settles its first token last.
  return body.stream ? ['stream', why] : undefined;
}

function besideNoBeams({ length_penalty }: ChatFields): readonly [keyof ChatFields, string] | undefined {
  return length_penalty == null ? undefined : ['length_penalty', 'has an effect only with num_beams over 1'];
}
