import { afterAll, beforeAll, expect, it } from 'vitest';
import { form, photo, startWorker, type TestWorker } from './worker.ts';

const KEY = 'a-key-that-nobody-may-read';
const PROMPT = 'Is there a lighthouse in the image?';
let worker: TestWorker;

beforeAll(async () => {
  worker = await startWorker({ API_KEYS: KEY });
});
afterAll(() => worker.close());

it('is a JSON object a line, one a request, without keys, prompts or pixels', async () => {
  const image = await photo('rocket.jpg');
  const headers = { authorization: `Bearer ${KEY}` };
  const ask = (fields: Record<string, string | Blob>) =>
    worker.fetch('/v1/query', { ...form(fields), headers });
  worker.logs();
  expect((await ask({ image: new Blob([image]), prompt: PROMPT })).status).toBe(200);
  expect((await ask({ image: new Blob(['secret pixels']), prompt: PROMPT })).status).toBe(415);
  expect((await ask({ image: new Blob([image]), prompt: PROMPT, 'private words': 'x' })).status).toBe(400);
  expect((await worker.fetch('/v1/models')).status).toBe(401);

  const text = worker.logs();
  const lines = text.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toMatchObject([
    { event: 'request', method: 'POST', route: '/v1/query', status: 200 },
    { event: 'request', method: 'POST', route: '/v1/query', status: 415, code: 'unsupported_image' },
    { event: 'request', method: 'POST', route: '/v1/query', status: 400, code: 'unknown_option' },
    { event: 'request', method: 'GET', status: 401 },
  ]);
  expect(text.join('\n')).not.toMatch(/a-key|lighthouse|secret pixels|private words/);
});
