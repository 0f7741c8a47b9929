import { afterAll, beforeAll, expect, it } from 'vitest';
import { imagesResponse } from '../../src/routes/images.ts';
import { SUREST } from '../model/default-model.ts';
import { answerOf, form, json, photo, result, startWorker, type TestWorker } from './worker.ts';

let worker: TestWorker;
let rocket: Buffer<ArrayBuffer>;
beforeAll(async () => {
  [worker, rocket] = await Promise.all([startWorker(), photo('rocket.jpg')]);
});
afterAll(() => worker.close());

it('takes an image in every form once, and answers about its handle', async () => {
  const upload = async (image: Blob) =>
    imagesResponse.parse((await result(worker.fetch('/v1/images', form({ image })))).body);
  const first = await upload(new Blob([rocket]));
  expect(first).toMatchObject({ object: 'image', width: 640, height: 427, format: 'jpeg', cache: 'miss' });
  const raw = { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: rocket };
  const url = `data:image/jpeg;base64,${rocket.toString('base64')}`;
  for (const again of [raw, json({ image: url })]) {
    expect((await result(worker.fetch('/v1/images', again))).body).toEqual({ ...first, cache: 'hit' });
  }
  const { id } = await upload(new Blob([await photo(SUREST.file)]));
  const asked = json({ image: id, prompt: SUREST.prompt });
  expect(await answerOf(worker.fetch('/v1/query', asked))).toMatchObject({
    answer: SUREST.answer,
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
