import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classifyResponse } from '../../src/routes/classify.ts';
import { bundleStatus, form, json, photo, result, startWorker, type TestWorker } from './worker.ts';

let worker: TestWorker;
let astronaut: Buffer<ArrayBuffer>;
beforeAll(async () => {
  [worker, astronaut] = await Promise.all([startWorker(), photo('astronaut.png')]);
});
afterAll(() => worker.close());

async function classify(init: RequestInit) {
  const { status, body } = await result(worker.fetch('/v1/classify', init));
  if (status !== 200) throw new Error(JSON.stringify(body));
  return classifyResponse.parse(body);
}

it("answers by the encoder's own labels from what is cached, without the vision half", async () => {
  const first = await classify(form({ image: new Blob([astronaut]) }));
  expect(first.classes).toHaveLength(5);
  expect(first).toMatchObject({ cache: 'miss' });
  await worker.restart();
  const again = await classify(json({ image: first.image }));
  expect(again).toMatchObject({ cache: 'hit', classes: first.classes });
  expect(await bundleStatus(worker)).toMatchObject({ loaded: { vision: false, text: false } });
});

it('orders labels by probability, whatever their order in the request', async () => {
  const labels = [
    'dog',
    'person',
    'boat',
    'bowl of soup',
    'snowboard',
    'a bicycle in front of a red brick wall',
  ];
  const image = new Blob([astronaut]);
  const { image: handle } = await classify(form({ image }));
  const { classes } = await classify(json({ image: handle, labels }));
  expect(classes.map(({ label }) => label).sort()).toEqual([...labels].sort());
  const probabilities = classes.map(({ probability }) => probability);
  expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
  expect(probabilities).toEqual(probabilities.toSorted((a, b) => b - a));
  expect(classes[0]?.label).toBe('person');

  const { classes: reversed } = await classify(json({ image: handle, labels: labels.toReversed() }));
  expect(reversed.map(({ label }) => label)).toEqual(classes.map(({ label }) => label));
  reversed.forEach(({ score }, i) => expect(score).toBeCloseTo(classes[i]?.score ?? NaN, 4));
});

it('scores a hundred labels, and again without keeping their memory', async () => {
  const labels = Array.from({ length: 100 }, (_, i) => `thing number ${i} of a hundred`);
  const image = new Blob([astronaut]);
  for (let i = 0; i < 5; i++) {
    const { image: handle } = await classify(form({ image }));
    expect((await classify(json({ image: handle, labels }))).classes).toHaveLength(100);
  }
});

it('names the label that does not fit the context', async () => {
  const request = json({
    image: (await classify(form({ image: new Blob([astronaut]) }))).image,
    labels: ['dog', '\u{1f600}'.repeat(99)],
  });
  expect(await result(worker.fetch('/v1/classify', request))).toMatchObject({
    status: 400,
    body: { error: { code: 'context_length_exceeded', param: 'labels.1' } },
  });
});

it('a prompt and a template change the scores', async () => {
  const { image } = await classify(form({ image: new Blob([astronaut]) }));
  const labels = ['yes', 'no'];
  const scores = async (options: object) =>
    (await classify(json({ image, labels, ...options }))).classes.map(({ score }) => score);
  const plain = await scores({});
  expect(await scores({ prompt: 'Is there a dog in the image?' })).not.toEqual(plain);
  expect(await scores({ template: '{label}.' })).not.toEqual(plain);
});

describe('refuses', () => {
  const image = `sha256:${'0'.repeat(64)}`;
  it.each([
    ['one label', { image, labels: ['dog'] }, 400, 'invalid_value', 'labels'],
    ['101 labels', { image, labels: Array.from({ length: 101 }, String) }, 400, 'invalid_value', 'labels'],
    ['a label twice', { image, labels: ['dog', 'cat', 'dog'] }, 400, 'invalid_value', 'labels'],
    ['a blank label', { image, labels: ['dog', ' '] }, 400, 'invalid_value', 'labels.1'],
    [
      'a template without a place',
      { image, labels: ['a', 'b'], template: 'A' },
      400,
      'invalid_value',
      'template',
    ],
    ['a prompt without labels', { image, prompt: 'What?' }, 400, 'invalid_value', 'prompt'],
    ['a template without labels', { image, template: '{label}' }, 400, 'invalid_value', 'template'],
    ['no image', { labels: ['a', 'b'] }, 400, 'missing_image', 'image'],
    ['an unknown handle', { image, labels: ['a', 'b'] }, 404, 'image_not_found', 'image'],
    ['an unknown option', { image, top_k: 3 }, 400, 'unknown_option', 'top_k'],
  ])('%s', async (_, body, status, code, param) => {
    expect(await result(worker.fetch('/v1/classify', json(body)))).toMatchObject({
      status,
      body: { error: { code, param } },
    });
  });
});
