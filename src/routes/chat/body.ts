import type { ChoiceDelta, LogprobEntry, Reply } from '../../pipeline/conversation.ts';
import type { ChatCompletionBody, ChatCompletionChunkBody, ChatRequestBody } from './schema.ts';

type Head = Pick<ChatCompletionBody, 'id' | 'created' | 'model'>;
type Logprobs = ChatCompletionBody['choices'][number]['logprobs'];

/** What an answer and all chunks of a stream have in common. */
export function answerHead(model: string): Head {
  return { id: `chatcmpl-${crypto.randomUUID()}`, created: Math.floor(Date.now() / 1000), model };
}

export function completionBody(head: Head, body: ChatRequestBody, reply: Reply): ChatCompletionBody {
  return {
    ...head,
    object: 'chat.completion',
    system_fingerprint: fingerprint(reply.digest),
    choices: reply.choices.map(({ text, finish_reason, logprobs }, index) => ({
      index,
      message: { role: 'assistant', content: text, refusal: null },
      logprobs: logprobsOf(body, logprobs),
      finish_reason,
    })),
    usage: usageOf(reply),
  };
}

/** Makes the chunks of one stream. */
export interface Chunks {
  /** One for each answer, before anything else. */
  roles(digest: string): readonly ChatCompletionChunkBody[];
  delta(delta: ChoiceDelta, digest: string): ChatCompletionChunkBody;
  /** The last, where it is asked for. */
  usage(reply: Reply): readonly ChatCompletionChunkBody[];
}

export function createChunks(head: Head, body: ChatRequestBody): Chunks {
  const include_usage = body.stream_options?.include_usage ?? false;
  const chunk = (
    digest: string,
    choices: ChatCompletionChunkBody['choices'],
    usage: ChatCompletionBody['usage'] | null = null,
  ): ChatCompletionChunkBody => ({
    ...head,
    object: 'chat.completion.chunk',
    system_fingerprint: fingerprint(digest),
    choices,
    ...(include_usage ? { usage } : {}),
  });
  return {
    roles: (digest) =>
      Array.from({ length: body.n ?? 1 }, (_, index) =>
        chunk(digest, [
          { index, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null },
        ]),
      ),
    delta: ({ index, text, logprobs, finish_reason }, digest) =>
      chunk(digest, [
        {
          index,
          delta: finish_reason === null ? { content: text } : {},
          logprobs: finish_reason === null ? logprobsOf(body, logprobs) : null,
          finish_reason,
        },
      ]),
    usage: (reply) => (include_usage ? [chunk(reply.digest, [], usageOf(reply))] : []),
  };
}

function fingerprint(digest: string): string {
  return `fp_${digest.slice(0, 12)}`;
}

function usageOf({ usage: { cached_tokens, ...usage } }: Reply): ChatCompletionBody['usage'] {
  return { ...usage, prompt_tokens_details: { cached_tokens } };
}

function logprobsOf({ logprobs }: ChatRequestBody, entries: readonly LogprobEntry[]): Logprobs {
  if (!logprobs) return null;
  const told = ({ token, logprob, bytes }: Omit<LogprobEntry, 'top_logprobs'>) => ({
    token,
    logprob,
    bytes: bytes && [...bytes],
  });
  const content = entries.map((entry) => ({ ...told(entry), top_logprobs: entry.top_logprobs.map(told) }));
  return { content, refusal: null };
}
