import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBareWorkerd } from '../cache/bare-workerd.ts';
import type { BareWorkerd } from '../cache/bare-workerd.ts';
import { HANDLE } from './recording-pipeline.ts';

let runtime: BareWorkerd;

beforeAll(async () => {
  runtime = await startBareWorkerd(new URL('worker/leaving.ts', import.meta.url));
});
afterAll(() => runtime.close());

test('in workerd, who leaves a stream ends the work in order', async () => {
  const leaver = new AbortController();
  const response = await fetch(new URL('/v1/query', runtime.url), {
    method: 'POST',
    body: JSON.stringify({ image: HANDLE, prompt: 'What is it?', stream: true }),
    headers: { 'content-type': 'application/json' },
    signal: leaver.signal,
  });
  await response.body?.getReader().read();
  leaver.abort();
  await expect.poll(async () => (await fetch(new URL('/ended', runtime.url))).text()).toBe('aborted');
});
