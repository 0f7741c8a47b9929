import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChatWorker, type ChatWorker } from './chat-client.ts';

let chat: ChatWorker;
beforeAll(async () => {
  chat = await startChatWorker();
});
afterAll(() => chat.close());

async function metric(name: string): Promise<number> {
  const text = await (await chat.worker.fetch('/metrics')).text();
  const [, value] = new RegExp(`^${name} (\\d+)$`, 'm').exec(text) ?? [];
  if (value === undefined) throw new Error(`no ${name} in ${text}`);
  return Number(value);
}

const generated = (): Promise<number> => metric('glimpse_tokens_generated_total');

/** Eight answers that never end of themselves: over a thousand tokens. */
const long = { n: 8, logit_bias: { '3': -100 }, max_completion_tokens: 180 };

test('a stream left in the middle stops the work', async () => {
  const before = await generated();
  const left = new AbortController();
  const chunks = await chat.client.chat.completions.create(
    { ...long, model: 'glimpse-10m', messages: chat.question, stream: true },
    { signal: left.signal },
  );
  let heard = 0;
  for await (const chunk of chunks) {
    if (chunk.choices[0]?.delta.content) heard += 1;
    if (heard === 24) left.abort();
  }
  await expect.poll(() => metric('glimpse_in_flight'), { timeout: 5000 }).toBe(0);
  const at = (await generated()) - before;
  expect(at).toBeGreaterThanOrEqual(24);
  expect(at).toBeLessThan(8 * 180);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await generated()) - before).toBe(at); // it stays stopped
});

test('and left alone it would have gone on', async () => {
  const before = await generated();
  const { usage } = await chat.ask(long);
  expect(usage?.completion_tokens).toBe(8 * 180);
  expect((await generated()) - before).toBe(8 * 180);
});
