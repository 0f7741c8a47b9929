import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import type { Query } from '../../src/pipeline/pipeline.ts';
import { HANDLE, recordingPipeline } from './recording-pipeline.ts';

const photo = new Uint8Array(await readFile(new URL('../fixtures/photos/rocket.jpg', import.meta.url)));
const dataUrl = `data:image/jpeg;base64,${Buffer.from(photo).toString('base64')}`;

const options = {
  max_new_tokens: 12,
  do_sample: true,
  temperature: 0.7,
  top_p: 0.9,
  seed: 4294967295,
  early_stopping: 'never',
  stop_strings: ['.', ' and'],
} as const;

function optionTexts(): [string, string][] {
  return Object.entries(options).flatMap(([name, value]): [string, string][] =>
    typeof value === 'object' ? value.map((text) => [name, text]) : [[name, String(value)]],
  );
}

function form(fields: Iterable<readonly [string, string | Blob]>): FormData {
  const data = new FormData();
  for (const [name, value] of fields) data.append(name, value);
  return data;
}

/** What reaches the pipeline of a request that is answered. */
async function asked(
  path: string,
  init: RequestInit,
): Promise<Pick<Query, 'image' | 'prompt' | 'generation'>> {
  const pipeline = recordingPipeline();
  const response = await createApp(() => pipeline).request(path, { method: 'POST', ...init });
  expect(await response.json()).toMatchObject({ answer: 'A dog runs.' });
  expect(response.status).toBe(200);
  const [query] = pipeline.queries;
  if (!query) throw new Error('the pipeline was not asked');
  const { image, prompt, generation } = query;
  return { image, prompt, generation };
}

const json = (body: unknown): RequestInit => ({
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});

const prompt = 'What is it? – 日本 & <|end|>';
const expected = { image: { bytes: photo }, prompt, generation: options };

test('a form, JSON and an image body with a query string ask the same', async () => {
  const image = new Blob([photo], { type: 'image/jpeg' });
  const asForm = await asked('/v1/query', {
    body: form([['image', image], ['prompt', prompt], ...optionTexts()]),
  });
  const asJson = await asked('/v1/query', json({ image: dataUrl, prompt, ...options }));
  const query = new URLSearchParams([['prompt', prompt], ...optionTexts()]);
  const asBody = await asked(`/v1/query?${query}`, {
    body: photo,
    headers: { 'content-type': 'image/jpeg' },
  });
  const asOctets = await asked(`/v1/query?${query}`, {
    body: photo,
    headers: { 'content-type': 'application/octet-stream' },
  });
  for (const question of [asForm, asJson, asBody, asOctets]) expect(question).toEqual(expected);
});

test('a handle stands for the image in JSON and in a form', async () => {
  const handle = { image: { handle: HANDLE }, prompt, generation: {} };
  expect(await asked('/v1/query', json({ image: HANDLE, prompt }))).toEqual(handle);
  expect(await asked('/v1/query', { body: form([['image', HANDLE], ['prompt', prompt]]) })).toEqual(handle); // prettier-ignore
});

test('one stop string in a form is a list of one; true and false are booleans', async () => {
  const fields: [string, string][] = [['image', HANDLE], ['prompt', '1'], ['stop_strings', '7'], ['do_sample', 'false']]; // prettier-ignore
  const { prompt, generation } = await asked('/v1/query', { body: form(fields) });
  expect(prompt).toBe('1');
  expect(generation).toEqual({ stop_strings: ['7'], do_sample: false });
});

test('a caption is asked for with the configured prompt', async () => {
  const question = {
    image: { bytes: photo },
    prompt: 'Describe the image.',
    generation: { max_new_tokens: 9 },
  };
  expect(await asked('/v1/caption', json({ image: dataUrl, max_new_tokens: 9 }))).toEqual(question);
  expect(
    await asked('/v1/caption?max_new_tokens=9', { body: photo, headers: { 'content-type': 'image/jpeg' } }),
  ).toEqual(question);
});
