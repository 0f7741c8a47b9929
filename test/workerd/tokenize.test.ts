import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, result, startWorker, type TestWorker } from './worker.ts';

let worker: TestWorker;
beforeAll(async () => {
  worker = await startWorker();
});
afterAll(() => worker.close());

const tokenize = (body: unknown) => result(worker.fetch('/tokenize', json(body)));
const detokenize = (body: unknown) => result(worker.fetch('/detokenize', json(body)));

it('gives the ids that the Python tokenizer gives, and back the text', async () => {
  const { cases } = JSON.parse(await readFile('test/fixtures/model/goldens.json', 'utf8')) as {
    cases: { prompt: string; prompt_ids: number[] }[];
  };
  for (const { prompt, prompt_ids } of cases) {
    const tokens = prompt_ids.slice(0, -1); // but <|assistant|>
    expect(await tokenize({ text: prompt })).toEqual({ status: 200, body: { tokens, count: tokens.length } });
    expect(await detokenize({ tokens })).toEqual({ status: 200, body: { text: prompt } });
  }
});

it('tells what tokens read, and takes special tokens in a text for text', async () => {
  const { body } = await tokenize({ text: 'A dog<|end|>', strings: true });
  const { tokens, strings } = body as { tokens: number[]; strings: string[] };
  expect(strings.join('')).toBe('A dog<|end|>');
  expect(tokens).not.toContain(3);
});

it('renders a conversation as the model reads it', async () => {
  const messages = [
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: 'https://example.com/dog.jpg' } },
        { type: 'text', text: 'Hi' },
      ],
    },
  ];
  const { body } = await tokenize({ messages, strings: true });
  expect((body as { strings: string[] }).strings.join('')).toBe('<|user|><image>Hi<|assistant|>');
});

describe('refuses', () => {
  it.each([
    ['nothing', '/tokenize', {}, 'invalid_value', 'text'],
    ['both', '/tokenize', { text: 'a', messages: [{ role: 'user', content: 'a' }] }, 'invalid_value', 'text'],
    [
      'an unknown option',
      '/tokenize',
      { text: 'a', add_special_tokens: true },
      'unknown_option',
      'add_special_tokens',
    ],
    [
      'an unknown role',
      '/tokenize',
      { messages: [{ role: 'tool', content: 'a' }] },
      'invalid_value',
      'messages.0.role',
    ],
    ['a token past the last', '/detokenize', { tokens: [1, 4096] }, 'invalid_value', 'tokens.1'],
    ['a negative token', '/detokenize', { tokens: [-1] }, 'invalid_value', 'tokens.0'],
    ['a text', '/detokenize', { tokens: 'dog' }, 'invalid_value', 'tokens'],
  ])('%s', async (_, path, body, code, param) => {
    expect(await result(worker.fetch(path, json(body)))).toMatchObject({
      status: 400,
      body: { error: { code, param } },
    });
  });
});

it('takes no more text than any context has room for, in whatever pieces', async () => {
  const many = Array.from({ length: 140_000 }, () => ({ role: 'user', content: '' }));
  for (const [body, param] of [
    [{ text: 'a'.repeat(140_000) }, 'text'],
    [{ messages: [{ role: 'user', content: 'a'.repeat(140_000) }] }, 'messages'],
    [{ messages: many }, 'messages'],
  ] as const) {
    expect(await tokenize(body)).toMatchObject({
      status: 400,
      body: { error: { code: 'context_length_exceeded', param } },
    });
  }
  expect(await tokenize({ messages: many.slice(0, 2000) })).toMatchObject({ status: 200 });
});
