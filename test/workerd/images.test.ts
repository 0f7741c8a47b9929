import { afterAll, beforeAll, expect, it } from 'vitest';
import { imagesResponse } from '../../src/routes/images.ts';
import { golden } from '../model/default-model.ts';
import { answerOf, form, json, photo, result, startWorker, type TestWorker } from './worker.ts';

let worker: TestWorker;
let rocket: Buffer<ArrayBuffer>;
beforeAll(async () => {
  [worker, rocket] = await Promise.all([startWorker(), photo('rocket.jpg')]);
});
afterAll(() => worker.close());

it('takes an image in every form once, and answers about its handle', async () => {
  const first = imagesResponse.parse(
    (await result(worker.fetch('/v1/images', form({ image: new Blob([rocket]) })))).body,
  );
  expect(first).toMatchObject({ object: 'image', width: 640, height: 427, format: 'jpeg', cache: 'miss' });
  const raw = { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: rocket };
  const url = `data:image/jpeg;base64,${rocket.toString('base64')}`;
  for (const again of [raw, json({ image: url })]) {
    expect((await result(worker.fetch('/v1/images', again))).body).toEqual({ ...first, cache: 'hit' });
  }
  const asked = json({ image: first.id, prompt: 'Is there a dog in the image?' });
  expect(await answerOf(worker.fetch('/v1/query', asked))).toMatchObject({
    answer: golden('rocket.jpg', 'Is there a dog in the image?').answer,
    cache: 'hit',
  });
});

it.each([
  ['no image', {}, 400, 'missing_image'],
  ['a handle', { image: `sha256:${'0'.repeat(64)}` }, 400, 'invalid_value'],
  ['what is no image', { image: `data:image/png;base64,${btoa('hello')}` }, 415, 'unsupported_image'],
  ['an unknown option', { image: 'data:,', prompt: 'x' }, 400, 'unknown_option'],
])('refuses %s', async (_, body, status, code) => {
  expect(await result(worker.fetch('/v1/images', json(body)))).toMatchObject({
    status,
    body: { error: { code } },
  });
});
