import { createParser } from 'eventsource-parser';
import { photo } from '../../test/workerd/worker.ts';
import { variant } from '../bench/photos.ts';

/** What came of a request. */
export type Outcome = 'right' | 'refused for load' | 'left' | { readonly wrong: string };

export interface LoadRequest {
  /** Short: a cached image and an answer of a word. */
  readonly kind: 'short' | 'new image' | 'stream' | 'long' | 'chat' | 'chat stream' | 'bad';
  send(url: string, signal: AbortSignal): Promise<Outcome>;
}

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly retry_after: string | null;
}

const LOADED = [429, 503];

/**
 * Requests of every kind about two photos. `send` compares with the answer that the server gave when it
 * was asked that alone.
 * @param random 0 to 1: which of them comes next, and which streams are left
 */
export async function loadRequests(url: string, random: () => number): Promise<() => LoadRequest> {
  const photos = [await photo('rocket.jpg'), await photo('chelsea.png')] as const;
  const [rocket] = photos;
  const query = (image: Uint8Array | string, fields: Readonly<Record<string, string>>): RequestInit => {
    const body = new FormData();
    body.set('image', typeof image === 'string' ? image : new Blob([image as Uint8Array<ArrayBuffer>]));
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    return { method: 'POST', body };
  };
  const alone = async (image: Uint8Array | string, fields: Readonly<Record<string, string>>) =>
    JSON.parse((await ask(`${url}/v1/query`, query(image, fields))).text) as {
      answer: string;
      image: string;
    };

  const short = { prompt: 'How many people are there?' };
  const describe = { prompt: 'Describe the image.', max_new_tokens: '60' };
  const beams = { prompt: 'What is the man doing?', max_new_tokens: '40', num_beams: '4' };
  const handle = (await alone(rocket, short)).image;
  const expected = {
    short: (await alone(handle, short)).answer,
    describe: await Promise.all(photos.map(async (image) => (await alone(image, describe)).answer)),
    long: (await alone(handle, beams)).answer,
  };
  const content = [
    { type: 'text', text: describe.prompt },
    { type: 'image_url', image_url: { url: handle } },
  ];
  const chat = (stream: boolean): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ model: 'glimpse-10m', max_tokens: 60, stream },
      messages: [{ role: 'user', content }],
    }),
  });

  let sent = 0;
  const plain =
    (init: () => RequestInit, answer: string) =>
    async (to: string, signal: AbortSignal): Promise<Outcome> =>
      judged(await ask(`${to}/v1/query`, init(), signal), ({ text }) =>
        same((JSON.parse(text) as { answer: string }).answer, answer),
      );
  const requests: readonly (readonly [share: number, make: () => LoadRequest])[] = [
    [30, () => ({ kind: 'short', send: plain(() => query(handle, short), expected.short) })],
    [
      20,
      () => {
        const image = variant(rocket, `load ${sent++}`);
        return { kind: 'new image', send: plain(() => query(image, describe), expected.describe[0] ?? '') };
      },
    ],
    [10, () => ({ kind: 'long', send: plain(() => query(handle, beams), expected.long) })],
    [
      15,
      () => {
        const which = random() < 0.5 ? 0 : 1;
        const init = (): RequestInit => query(photos[which], { ...describe, stream: 'true' });
        return { kind: 'stream', send: streaming('/v1/query', init, expected.describe[which] ?? '', random) };
      },
    ],
    [
      10,
      () => ({
        kind: 'chat',
        send: async (to, signal) =>
          judged(await ask(`${to}/v1/chat/completions`, chat(false), signal), ({ text }) => {
            const { choices } = JSON.parse(text) as { choices: { message: { content: string } }[] };
            return same(choices[0]?.message.content ?? '', expected.describe[0] ?? '');
          }),
      }),
    ],
    [
      10,
      () => ({
        kind: 'chat stream',
        send: streaming('/v1/chat/completions', () => chat(true), expected.describe[0] ?? '', random),
      }),
    ],
    [
      5,
      () => ({
        kind: 'bad',
        send: async (to, signal) => {
          const answered = await ask(`${to}/v1/query`, query(rocket.subarray(0, 4000), short), signal);
          return judged(answered, ({ status }) => (status === 422 ? null : String(status)), 422);
        },
      }),
    ],
  ];
  const total = requests.reduce((sum, [share]) => sum + share, 0);
  return () => {
    let at = random() * total;
    const [, make] = requests.find(([share]) => (at -= share) < 0) ?? requests[0] ?? [];
    if (make === undefined) throw new Error('no requests');
    return make();
  };
}

const same = (got: string, expected: string): string | null =>
  got === expected ? null : `${JSON.stringify(got)} for ${JSON.stringify(expected)}`;

async function ask(url: string, init: RequestInit, signal?: AbortSignal): Promise<Answered> {
  const response = await fetch(url, { ...init, ...(signal && { signal }) });
  const retry_after = response.headers.get('retry-after');
  return { status: response.status, text: await response.text(), retry_after };
}

/** @param wrong null where the answer is right, else what it was for what */
function judged(answered: Answered, wrong: (answered: Answered) => string | null, status = 200): Outcome {
  if (LOADED.includes(answered.status)) {
    return answered.retry_after === null
      ? { wrong: `${answered.status} without Retry-After` }
      : 'refused for load';
  }
  if (answered.status !== status) return { wrong: `${answered.status}: ${answered.text}` };
  const what = wrong(answered);
  return what === null ? 'right' : { wrong: what };
}

/** A stream of either API: its pieces in order are the answer, or its beginning where it is left in the middle. */
function streaming(
  path: string,
  init: () => RequestInit,
  answer: string,
  random: () => number,
): LoadRequest['send'] {
  return async (to, signal) => {
    const leaver = new AbortController();
    const leavesAfter = random() < 0.4 ? 1 + Math.floor(random() * 6) : Infinity;
    try {
      const response = await fetch(to + path, {
        ...init(),
        signal: AbortSignal.any([signal, leaver.signal]),
      });
      if (response.status === 200) return await heard(response, answer, leavesAfter, leaver);
      const retry_after = response.headers.get('retry-after');
      return judged({ status: response.status, text: await response.text(), retry_after }, () => null);
    } catch (error) {
      if (leaver.signal.aborted) return 'left';
      throw error;
    }
  };
}

/** Aborts `leaver` after so many events. */
async function heard(
  { body }: Response,
  answer: string,
  leavesAfter: number,
  leaver: AbortController,
): Promise<Outcome> {
  let text = '';
  let told = 0;
  const events: string[] = [];
  const parser = createParser({
    onEvent: ({ data, event }) => events.push(event === 'error' ? `error ${data}` : data),
  });
  const decoder = new TextDecoder();
  for await (const chunk of body ?? []) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    for (; told < events.length; told++) text += deltaOf(events[told] ?? '');
    if (!answer.startsWith(text)) return { wrong: `streamed ${text} of ${answer}` };
    if (told >= leavesAfter) leaver.abort();
  }
  const error = events.find((event) => event.startsWith('error'));
  if (error !== undefined) return error.includes('overloaded') ? 'refused for load' : { wrong: error };
  if (events.at(-1) !== '[DONE]') return { wrong: `a stream that ends with ${events.at(-1) ?? 'nothing'}` };
  const what = same(text, answer);
  return what === null ? 'right' : { wrong: what };
}

function deltaOf(data: string): string {
  if (!data.startsWith('{')) return '';
  const { delta, choices } = JSON.parse(data) as {
    readonly delta?: string;
    readonly choices?: readonly { readonly delta: { readonly content?: string | null } }[];
  };
  return delta ?? choices?.[0]?.delta.content ?? '';
}
