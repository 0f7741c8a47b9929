import type { ChatCompletion } from 'openai/resources/chat/completions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { chatRequestSchema } from '../../src/routes/chat/schema.ts';
import { beginning, golden } from '../model/default-model.ts';
import { image, MODEL, QUESTION, startChatWorker, user, type ChatWorker } from './chat-client.ts';
import { json } from './worker.ts';

let chat: ChatWorker;
beforeAll(async () => {
  chat = await startChatWorker();
});
afterAll(() => chat.close());

interface Refusal {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string;
}

type Body = Readonly<Record<string, unknown>>;

async function post(body: unknown): Promise<{ status: number; text: string }> {
  const response = await chat.worker.fetch('/v1/chat/completions', json(body));
  return { status: response.status, text: await response.text() };
}

const asked = (): Body => ({ model: MODEL, messages: [user(QUESTION, chat.handle)] });

async function refusal(body: unknown): Promise<Refusal & { readonly status: number }> {
  const { status, text } = await post(body);
  const { error } = JSON.parse(text) as { error: Refusal };
  expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type']);
  return { status, ...error };
}

/** The answer with all that tells one answer from another of the same text. */
async function outcome(options: Body): Promise<string> {
  const { status, text } = await post({ ...asked(), ...options });
  if (status !== 200) throw new Error(`${status} ${text}`);
  if (!text.startsWith('{')) return text.replace(/"(id|created)":[^,]*,/g, '');
  const { choices, usage } = JSON.parse(text) as ChatCompletion;
  return JSON.stringify({ choices, usage });
}

const endless = { logit_bias: { '3': -100 }, max_tokens: 24 };
const drawn = { ...endless, temperature: 2, seed: 11 };

/** For each field of the schema a request that it changes, or one that it has refused. */
const EFFECTS: Readonly<Record<keyof typeof chatRequestSchema.shape, readonly [Body, Body] | 'refused'>> = {
  model: 'refused', // another one
  messages: [{}, { get messages() { return [user('Is there a dog?', chat.handle)]; } }], // prettier-ignore
  max_completion_tokens: [{}, { max_completion_tokens: 2 }],
  max_tokens: [{}, { max_tokens: 2 }],
  temperature: [{ ...drawn, temperature: 0.2 }, drawn],
  top_p: [drawn, { ...drawn, top_p: 0.1 }],
  top_k: [drawn, { ...drawn, top_k: 1 }],
  min_p: [drawn, { ...drawn, min_p: 0.9 }],
  seed: [drawn, { ...drawn, seed: 12 }],
  stop: [{}, { stop: beginning(golden('astronaut.png', QUESTION), 2).slice(1) }],
  n: [{}, { n: 2 }],
  presence_penalty: [endless, { ...endless, presence_penalty: 2 }],
  frequency_penalty: [endless, { ...endless, frequency_penalty: 2 }],
  repetition_penalty: [endless, { ...endless, repetition_penalty: 2 }],
  logit_bias: [{}, endless],
  logprobs: [{}, { logprobs: true }],
  top_logprobs: [{ logprobs: true }, { logprobs: true, top_logprobs: 1 }],
  num_beams: [{ ...endless }, { ...endless, num_beams: 4 }],
  length_penalty: [
    { num_beams: 8, length_penalty: -10 },
    { num_beams: 8, length_penalty: 10 },
  ],
  response_format: [{}, { response_format: { type: 'json_object' } }],
  stream: [{}, { stream: true }],
  stream_options: [{ stream: true }, { stream: true, stream_options: { include_usage: true } }],
  modalities: 'refused', // any but text
};

describe('every field of the schema does something, or has the request refused', () => {
  test.each(Object.keys(chatRequestSchema.shape) as (keyof typeof EFFECTS)[])('%s', async (name) => {
    const effect = EFFECTS[name];
    if (effect === 'refused') {
      const { status, param } = await refusal({ ...asked(), [name]: name === 'model' ? 'other' : ['audio'] });
      expect(status).toBe(name === 'model' ? 404 : 400);
      expect(param).toMatch(new RegExp(`^${name}`));
    } else {
      expect(await outcome(effect[1])).not.toBe(await outcome(effect[0]));
    }
  });

  test('null is as good as absent', async () => {
    const plain = await outcome({});
    const required = ['model', 'messages', 'response_format'];
    const names = Object.keys(chatRequestSchema.shape).filter((name) => !required.includes(name));
    expect(await outcome(Object.fromEntries(names.map((name) => [name, null])))).toBe(plain);
  });

  test('every example of the schema is answered', async () => {
    const { properties = {} } = z.toJSONSchema(chatRequestSchema, { io: 'input' });
    const needed: Readonly<Record<string, Body>> = {
      top_logprobs: { logprobs: true },
      stream_options: { stream: true },
      length_penalty: { num_beams: 2 },
    };
    for (const [name, property] of Object.entries(properties)) {
      if (typeof property === 'boolean' || property.example === undefined) {
        throw new Error(`${name} has no example`);
      }
      const { status, text } = await post({ ...asked(), ...needed[name], [name]: property.example });
      expect(status, text).toBe(200);
    }
  });

  test('text is the one modality', async () => {
    expect(await outcome({ modalities: ['text'] })).toBe(await outcome({}));
  });

  test('what cannot change the likeliest token is honoured at temperature 0', async () => {
    const greedy = await outcome({});
    expect(await outcome({ temperature: 0, top_p: 0.3, top_k: 5, min_p: 0.2, seed: 4 })).toBe(greedy);
  });
});

const schema = (schema: unknown, more: Body = {}): Body => ({
  response_format: { type: 'json_schema', json_schema: { name: 'a', schema, ...more } },
});
const content = (...parts: unknown[]): Body => ({ messages: [{ role: 'user', content: parts }] });
const text = { type: 'text', text: 'a' };

/** Values of OpenAI's fields that are not honoured here. */
const UNSUPPORTED: Readonly<Record<string, unknown>> = {
  audio: { voice: 'alloy', format: 'wav' },
  function_call: 'auto',
  functions: [{ name: 'f' }],
  metadata: { a: 'b' },
  moderation: { model: 'omni-moderation-latest' },
  parallel_tool_calls: true,
  prediction: { type: 'content', content: 'a' },
  prompt_cache_key: 'a',
  prompt_cache_options: { mode: 'implicit' },
  prompt_cache_retention: '24h',
  reasoning_effort: 'low',
  safety_identifier: 'a',
  service_tier: 'auto',
  store: true,
  tool_choice: 'auto',
  tools: [{ type: 'function', function: { name: 'f' } }],
  user: 'a',
  verbosity: 'low',
  web_search_options: {},
};

describe('what is not honoured is refused by name', () => {
  test.each(Object.entries(UNSUPPORTED))('%s', async (name, value) => {
    expect(await refusal({ ...asked(), [name]: value })).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      code: 'unsupported_parameter',
      param: name,
      message: expect.stringContaining(name) as string,
    });
  });

  test.each<[options: Body, code: string, param: string]>([
    [{ temprature: 1 }, 'unknown_parameter', 'temprature'],
    [{ model: undefined }, 'missing_required_parameter', 'model'],
    [{ messages: undefined }, 'missing_required_parameter', 'messages'],
    [{ messages: [] }, 'invalid_value', 'messages'],
    [{ messages: 'hello' }, 'invalid_type', 'messages'],
    [{ messages: [{ content: 'a' }] }, 'missing_required_parameter', 'messages[0].role'],
    [{ messages: [{ role: 'user' }] }, 'missing_required_parameter', 'messages[0].content'],
    [
      { messages: [{ role: 'tool', content: 'a', tool_call_id: 'b' }] },
      'unsupported_value',
      'messages[0].role',
    ],
    [{ messages: [{ role: 'function', name: 'f', content: 'a' }] }, 'unsupported_value', 'messages[0].role'],
    [{ messages: [{ role: 'robot', content: 'a' }] }, 'invalid_value', 'messages[0].role'],
    [
      { messages: [{ role: 'user', content: 'a', name: 'Ann' }] },
      'unsupported_parameter',
      'messages[0].name',
    ],
    [{ messages: [{ role: 'assistant', content: 'a', tool_calls: [] }] }, 'unsupported_parameter', 'messages[0].tool_calls'], // prettier-ignore
    [{ messages: [{ role: 'system', content: [image('sha256:')] }] }, 'invalid_value', 'messages[0].content[0].type'], // prettier-ignore
    [content({ type: 'input_audio', input_audio: {} }), 'unsupported_value', 'messages[0].content[0].type'],
    [content({ type: 'file', file: {} }), 'unsupported_value', 'messages[0].content[0].type'],
    [content(text, { type: 'image_url' }), 'missing_required_parameter', 'messages[0].content[1].image_url'],
    [
      content(text, { type: 'image_url', image_url: 'data:' }),
      'invalid_type',
      'messages[0].content[1].image_url',
    ],
    [content(text, { type: 'image_url', image_url: { url: 'sha256:', detail: 'high' } }), 'unsupported_value', 'messages[0].content[1].image_url.detail'], // prettier-ignore
    [content(text, { type: 'image_url', image_url: { url: 'sha256:', detail: 'low' } }), 'unsupported_value', 'messages[0].content[1].image_url.detail'], // prettier-ignore
    [content(text, image('ftp://a/b.png')), 'invalid_value', 'messages[0].content[1].image_url.url'],
    [content(text, image('https://example.com/a.png')), 'remote_image_refused', 'messages[0].content[1].image_url.url'], // prettier-ignore
    [content(text), 'missing_image', 'messages'],
    [{ modalities: ['text', 'audio'] }, 'invalid_value', 'modalities'],
    [{ modalities: ['audio'] }, 'unsupported_value', 'modalities[0]'],
    [{ stream: true, stream_options: { include_obfuscation: true } }, 'unsupported_parameter', 'stream_options.include_obfuscation'], // prettier-ignore
    [{ stream_options: { include_usage: true } }, 'invalid_value', 'stream_options'],
    [{ top_logprobs: 2 }, 'invalid_value', 'top_logprobs'],
    [{ logprobs: true, top_logprobs: 21 }, 'invalid_value', 'top_logprobs'],
    [{ max_tokens: 3, max_completion_tokens: 4 }, 'invalid_value', 'max_tokens'],
    [{ max_completion_tokens: 0 }, 'invalid_value', 'max_completion_tokens'],
    [{ temperature: '1' }, 'invalid_type', 'temperature'],
    [{ temperature: 2.5 }, 'invalid_value', 'temperature'],
    [{ temperature: 0.001 }, 'invalid_value', 'temperature'],
    [{ top_p: 2 }, 'invalid_value', 'top_p'],
    [{ n: 9 }, 'invalid_value', 'n'],
    [{ stop: ['a', 'b', 'c', 'd', 'e'] }, 'invalid_value', 'stop'],
    [{ stop: '' }, 'invalid_value', 'stop'],
    [{ seed: -1 }, 'invalid_value', 'seed'],
    [{ presence_penalty: 3 }, 'invalid_value', 'presence_penalty'],
    [{ frequency_penalty: -3 }, 'invalid_value', 'frequency_penalty'],
    [{ logit_bias: { dog: 1 } }, 'invalid_value', 'logit_bias.dog'],
    [{ logit_bias: { '4096': 1 } }, 'invalid_value', 'logit_bias'],
    [{ logit_bias: { '5': 101 } }, 'invalid_value', 'logit_bias.5'],
    [{ num_beams: 2, stream: true }, 'invalid_value', 'stream'],
    [{ num_beams: 2, n: 2 }, 'invalid_value', 'n'],
    [{ num_beams: 8, max_tokens: 180 }, 'invalid_value', 'num_beams'], // more than fits in memory
    [{ num_beams: 2, logprobs: true }, 'invalid_value', 'logprobs'],
    [{ num_beams: 2, temperature: 1 }, 'invalid_value', 'temperature'],
    [{ num_beams: 2, top_p: 0.5 }, 'invalid_value', 'top_p'],
    [{ length_penalty: 2 }, 'invalid_value', 'length_penalty'],
    [{ response_format: { type: 'xml' } }, 'invalid_value', 'response_format.type'],
    [
      { response_format: { type: 'json_schema' } },
      'missing_required_parameter',
      'response_format.json_schema',
    ],
    [schema(undefined), 'missing_required_parameter', 'response_format.json_schema.schema'],
    [schema({}, { name: 'no spaces' }), 'invalid_value', 'response_format.json_schema.name'],
    [schema({}, { description: 'a' }), 'unsupported_parameter', 'response_format.json_schema.description'],
    [
      schema({ type: 'string', format: 'date' }),
      'invalid_json_schema',
      'response_format.json_schema.schema.format',
    ],
    [schema({ type: 'array' }, { strict: true }), 'invalid_json_schema', 'response_format.json_schema.schema.type'], // prettier-ignore
    [{ response_format: { type: 'json_object' }, stop: '}' }, 'invalid_value', 'stop'],
  ])('%j', async (options, code, param) => {
    const refused = await refusal({ ...asked(), ...options });
    expect(refused).toMatchObject({ status: 400, code, param, type: 'invalid_request_error' });
  });

  test('more images than the model takes: the first too many', async () => {
    const two = [user('a', chat.handle), { role: 'assistant', content: 'b' }, user('c', chat.handle)];
    expect(await refusal({ ...asked(), messages: two })).toMatchObject({
      status: 400,
      code: 'invalid_value',
      param: 'messages[2].content[1].image_url.url',
      message: expect.stringContaining('this model takes 1') as string,
    });
  });

  test('a system text that no question follows has no place in the prompt', async () => {
    const messages = [user('a', chat.handle), { role: 'system', content: 'Be brief.' }];
    expect(await refusal({ ...asked(), messages })).toMatchObject({ status: 400, param: 'messages' });
  });

  test.each([null, [], 'text', 3])('a body that is no object: %j', async (body) => {
    expect(await refusal(body)).toMatchObject({ status: 400, type: 'invalid_request_error', param: null });
  });

  test('a body that is no JSON, or is not said to be', async () => {
    const send = async (type: string) =>
      (
        await chat.worker.fetch('/v1/chat/completions', {
          method: 'POST',
          body: '{',
          headers: { 'content-type': type },
        })
      ).status;
    expect(await send('application/json')).toBe(400);
    expect(await send('text/plain')).toBe(415);
  });
});
