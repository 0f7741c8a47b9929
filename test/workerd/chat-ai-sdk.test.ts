import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, jsonSchema, Output, streamText } from 'ai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { golden, usageOf } from '../model/default-model.ts';
import { MODEL, QUESTION, startChatWorker, textOf, type ChatWorker } from './chat-client.ts';
import { photo } from './worker.ts';

const USAGE = usageOf(golden('astronaut.png', QUESTION));
let chat: ChatWorker;
beforeAll(async () => {
  chat = await startChatWorker();
});
afterAll(() => chat.close());

/** The Vercel AI SDK over its provider for OpenAI-compatible servers, and a question about a photo. */
async function question() {
  const glimpse = createOpenAICompatible({
    name: 'glimpse',
    baseURL: new URL('/v1', chat.worker.url).href,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  const image = { type: 'file' as const, mediaType: 'image/png', data: await photo('astronaut.png') };
  return {
    model: glimpse(MODEL),
    messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: QUESTION }, image] }],
    maxRetries: 0,
  };
}

test('generateText', async () => {
  const { text, finishReason, usage } = await generateText(await question());
  expect(text).toBe(textOf(await chat.ask()));
  expect(finishReason).toBe('stop');
  expect(usage).toMatchObject({
    inputTokens: USAGE.prompt_tokens,
    outputTokens: USAGE.completion_tokens,
    totalTokens: USAGE.total_tokens,
  });
});

test('streamText', async () => {
  const result = streamText(await question());
  const pieces: string[] = [];
  for await (const piece of result.textStream) pieces.push(piece);
  expect(pieces.length).toBeGreaterThan(2);
  expect(pieces.join('')).toBe(textOf(await chat.ask()));
  expect(await result.finishReason).toBe('stop');
  expect(await result.usage).toMatchObject({
    inputTokens: USAGE.prompt_tokens,
    outputTokens: USAGE.completion_tokens,
  });
});

test('an object by its schema', async () => {
  const schema = jsonSchema<{ people: number }>({
    type: 'object',
    properties: { people: { type: 'integer', minimum: 0, maximum: 20 } },
    required: ['people'],
    additionalProperties: false,
  });
  const { output } = await generateText({ ...(await question()), output: Output.object({ schema }) });
  expect(output.people).toBeGreaterThanOrEqual(0);
  expect(output.people).toBeLessThanOrEqual(20);
});
