import { expect, test, vi } from 'vitest';
import { createApp, DEFAULT_APP_CONFIG } from '../../src/app.ts';
import { answerBodySchema } from '../../src/routes/answer-body.ts';
import { ANSWER, HANDLE, recordingPipeline } from './recording-pipeline.ts';
import type { RecordingPipeline, Script } from './recording-pipeline.ts';

function post(pipeline: RecordingPipeline, body: object, signal?: AbortSignal): Promise<Response> {
  const init = {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  };
  return Promise.resolve(createApp(() => pipeline).request('/v1/query', signal ? { ...init, signal } : init));
}

const question = { image: HANDLE, prompt: 'What is it?' };
const speaking: Script = async (_, onText) => {
  for (const word of ['A', ' dog', ' runs.']) await onText(word);
  return ANSWER;
};

async function events(response: Response): Promise<string[]> {
  return (await response.text()).split('\n\n').filter(Boolean);
}

test('an answer has the documented fields and no others', async () => {
  const response = await post(recordingPipeline(), question);
  expect(response.headers.get('content-type')).toBe('application/json');
  const body = answerBodySchema.parse(await response.json());
  expect(body).toEqual({ id: body.id, model: 'glimpse-10m', ...ANSWER });
  expect(body.id).toMatch(/^query-[0-9a-f-]{36}$/);
});

test('a stream is the deltas in order, the whole answer, [DONE]', async () => {
  const response = await post(recordingPipeline(speaking), { ...question, stream: true });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const all = await events(response);
  expect(all.slice(0, 3)).toEqual(
    ['A', ' dog', ' runs.'].map((delta) => `data: ${JSON.stringify({ delta })}`),
  );
  const whole = answerBodySchema.parse(JSON.parse((all[3] ?? '').replace('data: ', '')));
  expect(whole).toEqual({ id: whole.id, model: 'glimpse-10m', ...ANSWER });
  expect(all.slice(4)).toEqual(['data: [DONE]']);
});

test('a stream of an empty answer is the answer and [DONE]', async () => {
  const all = await events(await post(recordingPipeline(), { ...question, stream: true }));
  expect(all).toHaveLength(2);
});

test('an error after the first byte is an error event, and the last', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const failing: Script = async (_, onText) => {
    await onText('A');
    throw new Error('a detail');
  };
  const response = await post(recordingPipeline(failing), { ...question, stream: true });
  expect(response.status).toBe(200);
  const [delta, error, ...rest] = await events(response);
  expect(delta).toBe('data: {"delta":"A"}');
  expect(error).toMatch(/^event: error\ndata: {"error":{"message":"[^"]*","type":"server_error","param":null,"code":"internal_error"}}$/); // prettier-ignore
  expect(rest).toEqual([]);
  log.mockRestore();
});

test('the next text waits until the last one is taken', async () => {
  let said = 0;
  const chatty: Script = async (_, onText) => {
    for (; said < 1000; said++) await onText('word ');
    return ANSWER;
  };
  const response = await post(recordingPipeline(chatty), { ...question, stream: true });
  const reader = response.body?.getReader();
  await reader?.read();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(said).toBeLessThan(20);
  await reader?.cancel();
});

/** Speaks until its signal ends it, and says so. */
function endless(): { script: Script; ended: Promise<unknown> } {
  const { promise: ended, resolve } = Promise.withResolvers<unknown>();
  const script: Script = async ({ signal }, onText) => {
    try {
      for (;;) {
        await onText('word ');
        await new Promise((next) => setTimeout(next, 1));
        signal.throwIfAborted();
      }
    } finally {
      resolve(signal.reason);
    }
  };
  return { script, ended };
}

test('who stops reading the stream stops the work', async () => {
  const { script, ended } = endless();
  const log = vi.spyOn(console, 'error');
  const response = await post(recordingPipeline(script), { ...question, stream: true });
  const reader = response.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  expect(await ended).toMatchObject({ name: 'AbortError' });
  expect(log).not.toHaveBeenCalled();
  log.mockRestore();
});

test.each([true, false])("the request's own end stops the work (stream: %s)", async (stream) => {
  const { script, ended } = endless();
  const request = new AbortController();
  const answered = post(recordingPipeline(script), { ...question, stream }, request.signal);
  setTimeout(() => request.abort(), 20);
  expect(await ended).toMatchObject({ name: 'AbortError' });
  expect((await answered).status).toBe(stream ? 200 : 499);
});

test('the caption prompt is configuration', async () => {
  const pipeline = recordingPipeline();
  const app = createApp(() => pipeline, { ...DEFAULT_APP_CONFIG, caption_prompt: 'Say what you see.' });
  const form = new FormData();
  form.append('image', HANDLE);
  await app.request('/v1/caption', { method: 'POST', body: form });
  expect(pipeline.queries[0]?.prompt).toBe('Say what you see.');
});

test('health says what is loaded', async () => {
  const response = await createApp(() => recordingPipeline()).request('/health');
  expect(await response.json()).toEqual({
    status: 'ok',
    model: 'glimpse-10m',
    bundle: { digest: 'd1', loaded: { vision: false, text: true } },
  });
});
