import { Ajv } from 'ajv';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatCompletionChunkSchema, chatCompletionSchema } from '../../src/routes/chat/schema.ts';
import {
  image,
  MODEL,
  QUESTION,
  startChatWorker,
  streamed,
  textOf,
  user,
  type ChatWorker,
} from './chat-client.ts';
import { beginning, golden, IMAGE_TOKENS, usageOf } from '../model/default-model.ts';
import { createBundleTokenizer } from '../text/fixtures.ts';
import { answerOf, json } from './worker.ts';

let chat: ChatWorker;
beforeAll(async () => {
  chat = await startChatWorker();
});
afterAll(() => chat.close());

const END = 3; // <|end|>
const ANSWER = golden('astronaut.png', QUESTION); // five words at least
const USAGE = usageOf(ANSWER);

/** The same question by the house's own route. */
const query = async (prompt: string): Promise<string> =>
  (await answerOf(chat.worker.fetch('/v1/query', json({ image: chat.handle, prompt })))).answer;

describe("an answer, by OpenAI's client", () => {
  test('has the documented fields and no others', async () => {
    const { data, response } = await chat.client.chat.completions
      .create({ model: MODEL, messages: [user(QUESTION, chat.dataUrl)] })
      .withResponse();
    expect(response.headers.get('content-type')).toBe('application/json');
    const completion = chatCompletionSchema.parse(data);
    expect(completion).toMatchObject({
      model: MODEL,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: ANSWER.answer, refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: USAGE,
    });
    const digest = ((await (await chat.worker.fetch('/health')).json()) as { bundle: { digest: string } })
      .bundle.digest;
    expect(completion.system_fingerprint).toBe(`fp_${digest.slice(0, 12)}`);
    expect(Math.abs(completion.created - Date.now() / 1000)).toBeLessThan(60);
  });

  test('is that of /v1/query', async () => {
    for (const prompt of ['Describe the image.', 'Is there a dog in the image?', 'Who is in the image?']) {
      expect(textOf(await chat.ask({ messages: [user(prompt, chat.handle)] }))).toBe(await query(prompt));
    }
  });

  test('tells which of the prompt was kept: all up to the image', async () => {
    const messages = [user('What is in front?'), user('Where is he?', chat.handle)];
    const fresh = await chat.ask({ messages });
    const again = await chat.ask({ messages: [user('What is in front?'), user('Why?', chat.handle)] });
    expect(fresh.usage?.prompt_tokens_details?.cached_tokens).toBe(0); // that text before the image is new
    const kept = again.usage?.prompt_tokens_details?.cached_tokens ?? 0;
    expect(kept).toBeGreaterThan(1 + IMAGE_TOKENS);
    expect(kept).toBeLessThan(again.usage?.prompt_tokens ?? 0);
    expect((await chat.ask()).usage?.prompt_tokens_details?.cached_tokens).toBe(1 + IMAGE_TOKENS);
  });
});

describe('a conversation', () => {
  test('of two turns is read as the template writes it', async () => {
    const first = await chat.ask();
    const messages = [
      user(QUESTION, chat.handle),
      first.choices[0]?.message ?? user(''),
      user('What color is it?'),
    ];
    const second = await chat.ask({ messages });
    expect(second.usage?.prompt_tokens).toBeGreaterThan((first.usage?.total_tokens ?? 0) + 2);
    expect(second.usage?.prompt_tokens_details?.cached_tokens).toBe(1 + IMAGE_TOKENS);
    expect(textOf(second)).not.toBe('');
    const without = await chat.ask({ messages: [user('What color is it?', chat.handle)] });
    expect(second.usage?.prompt_tokens).toBeGreaterThan(without.usage?.prompt_tokens ?? Infinity);
  });

  test('has an image in any user message', async () => {
    const messages = [
      user('Hello.'),
      { role: 'assistant', content: 'Yes.' } as const,
      user(QUESTION, chat.handle),
    ];
    expect(textOf(await chat.ask({ messages }))).not.toBe('');
  });

  test.each(['system', 'developer'] as const)(
    'takes %s text, which stands before the question',
    async (role) => {
      const messages = [{ role, content: 'Think of color.' }, user('What is it?', chat.handle)];
      const answer = await chat.ask({ messages });
      const asOne = await chat.ask({ messages: [user('Think of color. What is it?', chat.handle)] });
      expect(textOf(answer)).toBe(textOf(asOne));
      expect(answer.usage?.prompt_tokens).toBe(asOne.usage?.prompt_tokens);
    },
  );

  test('takes text in parts', async () => {
    const [before, after] = [QUESTION.slice(0, 9), QUESTION.slice(9)];
    const content = [{ type: 'text', text: before }, image(chat.handle), { type: 'text', text: after }] as const; // prettier-ignore
    const parts = await chat.ask({ messages: [{ role: 'user', content: [...content] }] });
    expect(textOf(parts)).toBe(textOf(await chat.ask()));
  });
});

describe('a stream', () => {
  test('is roles, text, end and usage, in that order, and says what the whole answer says', async () => {
    const chunks = await chat.stream({ stream_options: { include_usage: true } });
    for (const chunk of chunks) chatCompletionChunkSchema.parse(chunk);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    const [role, ...rest] = chunks;
    expect(role?.choices).toEqual([
      { index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null },
    ]);
    const usage = rest.pop();
    const end = rest.pop();
    expect(end?.choices).toEqual([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }]);
    expect(usage?.choices).toEqual([]);
    const whole = await chat.ask();
    expect(usage?.usage).toEqual(whole.usage);
    expect(rest.length).toBeGreaterThan(3);
    expect(rest.every((chunk) => chunk.usage === null && chunk.choices[0]?.finish_reason === null)).toBe(
      true,
    );
    expect(streamed(chunks)).toBe(textOf(whole));
  });

  test('ends with [DONE], and has no usage unless asked', async () => {
    const body = { model: MODEL, messages: [user(QUESTION, chat.handle)], stream: true };
    const response = await chat.worker.fetch('/v1/chat/completions', json(body));
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const events = (await response.text()).trim().split('\n\n');
    expect(events.at(-1)).toBe('data: [DONE]');
    expect(
      events.slice(0, -1).every((event) => event.startsWith('data: {') && !event.includes('"usage"')),
    ).toBe(true);
  });

  test("is read by the client's helper", async () => {
    const runner = chat.client.chat.completions.stream({
      model: MODEL,
      messages: [user(QUESTION, chat.handle)],
    });
    expect((await runner.finalChatCompletion()).choices[0]?.message.content).toBe(textOf(await chat.ask()));
  });

  test('of several answers tells them piece by piece in turn', async () => {
    const options = { n: 3, temperature: 1, seed: 5, max_completion_tokens: 12 };
    const [chunks, whole] = [await chat.stream(options), await chat.ask(options)];
    expect(chunks.slice(0, 3).map(({ choices }) => choices[0]?.index)).toEqual([0, 1, 2]);
    const order = chunks.slice(3, 9).map(({ choices }) => choices[0]?.index);
    expect(order).toEqual([0, 1, 2, 0, 1, 2]);
    for (const { index, message } of whole.choices) expect(streamed(chunks, index)).toBe(message.content);
  });

  test('has an error before its first token as a status', async () => {
    const lost = user(QUESTION, `sha256:${'0'.repeat(64)}`);
    await expect(chat.stream({ messages: [lost] })).rejects.toMatchObject({
      status: 404,
      code: 'image_not_found',
      param: 'messages[0].content[1].image_url.url',
    });
  });
});

describe('options', () => {
  test('stop ends the answer before any of its strings', async () => {
    const words = ANSWER.answer.split(/(?= )/);
    const [before, next = ''] = [words.slice(0, 4).join(''), words[4]];
    const options = { stop: [next.slice(0, -1), 'never'] };
    expect(textOf(await chat.ask({ stop: next }))).toBe(before);
    const { choices } = await chat.ask(options);
    expect(choices[0]).toMatchObject({ message: { content: before }, finish_reason: 'stop' });
    expect(streamed(await chat.stream(options))).toBe(before);
  });

  test('n answers: equal if greedy, each its own if drawn, one prompt read', async () => {
    const greedy = await chat.ask({ n: 3 });
    expect(greedy.choices.map(({ index, message }) => [index, message.content])).toEqual(
      [0, 1, 2].map((index) => [index, ANSWER.answer]),
    );
    expect(greedy.usage).toMatchObject({
      prompt_tokens: USAGE.prompt_tokens,
      completion_tokens: 3 * USAGE.completion_tokens,
      total_tokens: USAGE.prompt_tokens + 3 * USAGE.completion_tokens,
    });
    const drawn = await chat.ask({ n: 4, temperature: 1.5 });
    expect(new Set(drawn.choices.map(({ message }) => message.content)).size).toBeGreaterThan(1);
  });

  test('the same seed draws the same answers, others others', async () => {
    const draw = async (seed: number) => {
      const { choices } = await chat.ask({ seed, temperature: 1.2, n: 2 });
      return choices.map(({ message }) => message.content);
    };
    expect(await draw(7)).toEqual(await draw(7));
    expect(await draw(7)).not.toEqual(await draw(1000));
  });

  test('log-probabilities: of every token, the likeliest first, and in streams the same', async () => {
    const options = { logprobs: true, top_logprobs: 20 };
    const completion = await chat.ask(options);
    const content = completion.choices[0]?.logprobs?.content ?? [];
    expect(content.map(({ token }) => token).join('')).toBe(textOf(completion));
    expect(content).toHaveLength(USAGE.completion_tokens);
    for (const { token, logprob, bytes, top_logprobs } of content) {
      expect(new TextDecoder().decode(Uint8Array.from(bytes ?? []))).toBe(token);
      const sum = top_logprobs.reduce((total, top) => total + Math.exp(top.logprob), 0);
      expect(sum).toBeLessThanOrEqual(1 + 1e-9);
      expect(sum).toBeGreaterThan(0.5);
      expect(top_logprobs).toHaveLength(20);
      const sorted = top_logprobs.map((top) => top.logprob).toSorted((a, b) => b - a);
      expect(top_logprobs.map((top) => top.logprob)).toEqual(sorted);
      expect(top_logprobs[0]).toEqual({ token, logprob, bytes }); // greedy
    }
    const chunks = await chat.stream(options);
    expect(chunks.flatMap(({ choices }) => choices[0]?.logprobs?.content ?? [])).toEqual(content);
    expect((await chat.ask({ logprobs: true })).choices[0]?.logprobs?.content?.[0]?.top_logprobs).toEqual([]);
  });

  test('log-probabilities stop where the text does', async () => {
    const { choices } = await chat.ask({
      logprobs: true,
      stop: beginning(ANSWER, 4).slice(beginning(ANSWER, 3).length),
    });
    const tokens = [0, 1, 2].map((i) => beginning(ANSWER, i + 1).slice(beginning(ANSWER, i).length));
    expect(choices[0]?.logprobs?.content?.map(({ token }) => token)).toEqual(tokens);
  });

  test('draws come as often as their probability says', async () => {
    const [first] =
      (await chat.ask({ logprobs: true, top_logprobs: 20 })).choices[0]?.logprobs?.content ?? [];
    const expected = Math.exp(first?.logprob ?? 0);
    let seen = 0;
    for (let seed = 0; seed < 400; seed += 8) {
      const { choices } = await chat.ask({ n: 8, seed, temperature: 1, max_tokens: 1 });
      seen += choices.filter(({ message }) => message.content === first?.token).length;
    }
    const deviation = Math.sqrt(400 * expected * (1 - expected));
    expect(Math.abs(seen - 400 * expected)).toBeLessThan(4 * deviation);
  });

  test('logit_bias -100 bans a token, +100 leaves no other', async () => {
    const top = (await chat.ask({ logprobs: true, max_tokens: 1 })).choices[0]?.logprobs?.content?.[0]?.token;
    const [id = -1] = createBundleTokenizer().encode(top ?? '');
    const banned = await chat.ask({ logprobs: true, logit_bias: { [id]: -100 } });
    const tokens = banned.choices[0]?.logprobs?.content?.map(({ token }) => token) ?? [];
    expect(tokens.join('')).toBe(textOf(banned));
    expect(tokens).not.toContain(top);
    const only = await chat.ask({ logit_bias: { [id]: 100 }, max_tokens: 4 });
    expect(textOf(only)).toBe((top ?? '').repeat(4));
    const endless = await chat.ask({ logit_bias: { [END]: -100 } });
    expect(endless.choices[0]?.finish_reason).toBe('length');
    expect(endless.usage?.completion_tokens).toBe(40);
  });

  test('penalties make an answer that cannot end repeat itself less', async () => {
    const messages = [user('Who is in the image?', chat.handle)];
    const endless = { messages, logit_bias: { [END]: -100 }, max_tokens: 60 };
    const distinct = async (options: object) => {
      const { choices } = await chat.ask({ ...endless, ...options, logprobs: true });
      return new Set(choices[0]?.logprobs?.content?.map(({ token }) => token)).size;
    };
    const plain = await distinct({});
    expect(await distinct({ presence_penalty: 2 })).toBeGreaterThan(plain);
    expect(await distinct({ frequency_penalty: 2 })).toBeGreaterThan(plain);
    expect(await distinct({ repetition_penalty: 1.5 })).toBeGreaterThan(plain);
    expect(await distinct({ presence_penalty: -2, frequency_penalty: -2 })).toBeLessThan(plain);
  });

  test('the limit of tokens, by either name', async () => {
    for (const options of [
      { max_tokens: 2 },
      { max_completion_tokens: 2 },
      { max_tokens: 2, max_completion_tokens: 2 },
    ]) {
      const { choices, usage } = await chat.ask(options);
      expect(choices[0]).toMatchObject({
        message: { content: beginning(ANSWER, 2) },
        finish_reason: 'length',
      });
      expect(usage?.completion_tokens).toBe(2);
    }
  });
});

describe('JSON', () => {
  const schema = {
    type: 'object',
    properties: {
      activity: { type: 'string', maxLength: 40 },
      people: { type: 'integer', minimum: 0, maximum: 20 },
      mood: { enum: ['calm', 'excited'] },
      objects: { type: 'array', items: { type: 'string', maxLength: 12 }, maxItems: 3 },
    },
    required: ['activity', 'people', 'mood', 'objects'],
    additionalProperties: false,
  };
  const json_schema = { name: 'scene', strict: true, schema };

  test.each([{}, { temperature: 1.5, seed: 3 }, { num_beams: 3 }, { n: 3, temperature: 2 }])(
    'valid by its schema: %o',
    async (options) => {
      const validate = new Ajv().compile(schema);
      const { choices } = await chat.ask({
        ...options,
        response_format: { type: 'json_schema', json_schema },
        max_completion_tokens: 70,
      });
      for (const { message, finish_reason } of choices) {
        expect(validate(JSON.parse(message.content ?? '')), message.content ?? '').toBe(true);
        expect(finish_reason).toBe('stop');
      }
    },
  );

  test('by the client with its parser', async () => {
    const parsed = await chat.client.chat.completions.parse({
      model: MODEL,
      messages: [user(QUESTION, chat.handle)],
      response_format: { type: 'json_schema', json_schema },
      max_completion_tokens: 60,
    });
    expect(new Ajv().compile(schema)(parsed.choices[0]?.message.parsed)).toBe(true);
  });

  test('any object, closed within whatever limit, streamed too', async () => {
    for (const max_completion_tokens of [2, 3, 7, 40]) {
      const options = { response_format: { type: 'json_object' }, max_completion_tokens } as const;
      const completion = await chat.ask(options);
      expect(JSON.parse(textOf(completion))).toBeTypeOf('object');
      expect(completion.usage?.completion_tokens).toBeLessThanOrEqual(max_completion_tokens);
      expect(streamed(await chat.stream(options))).toBe(textOf(completion));
    }
  });

  test('that cannot be closed within the limit is refused, with the number that is needed', async () => {
    const asked = chat.ask({ response_format: { type: 'json_schema', json_schema }, max_tokens: 5 });
    await expect(asked).rejects.toMatchObject({
      status: 400,
      code: 'invalid_value',
      param: 'max_tokens',
      message: expect.stringMatching(/needs \d+ tokens, and 5 are allowed/) as string,
    });
  });
});

describe('an error', () => {
  test('is one that the client knows', async () => {
    const wrong = chat.ask({ model: 'gpt-4o' });
    await expect(wrong).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(wrong).rejects.toMatchObject({
      code: 'model_not_found',
      param: 'model',
      type: 'invalid_request_error',
    });
    await expect(chat.ask({ messages: [user('No image.')] })).rejects.toMatchObject({
      status: 400,
      code: 'missing_image',
      param: 'messages',
    });
  });

  test('names the image', async () => {
    const broken = user(
      QUESTION,
      `data:image/png;base64,${Buffer.from('no image at all').toString('base64')}`,
    );
    await expect(chat.ask({ messages: [user('First.'), broken] })).rejects.toMatchObject({
      status: 415,
      code: 'unsupported_image',
      param: 'messages[1].content[1].image_url.url',
    });
  });

  test('for a prompt that is too long has both numbers', async () => {
    const long = user('very long '.repeat(500), chat.handle);
    await expect(chat.ask({ messages: [long] })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      param: 'messages',
      message: expect.stringMatching(/\d{3,} tokens.*256/) as string,
    });
    await expect(
      chat.ask({ messages: [user('very long '.repeat(500)), user('?', chat.handle)] }),
    ).rejects.toMatchObject({
      code: 'context_length_exceeded',
    });
  });
});
