import { readFileSync } from 'node:fs';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classifyResponse } from '../../src/routes/classify.ts';
import { modelSchema } from '../../src/routes/models.ts';
import { relativeError } from '../model/goldens.ts';
import { readCase } from '../model/vision-fixtures.ts';
import { startOrigin, type Origin } from './bundle-origin.ts';
import { bundleStatus, form, json, photo, result, startWorker, type TestWorker } from './worker.ts';

const FOLDER = 'test/fixtures/dual';
/** Of embeddings and of logits, by the 8-bit activations: see the engines of test/model/vision-fixtures.ts. */
const [BOUND, LOGITS_BOUND] = [0.04, 0.06];

interface Goldens {
  readonly texts: readonly string[];
  readonly tokens: readonly number[];
  readonly photo: string;
  readonly labels: readonly string[];
  readonly classes: Readonly<Record<string, readonly { readonly label: string; readonly score: number }[]>>;
}

let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin(FOLDER);
});
afterAll(() => origin.close());

describe.each([
  { name: 'clip-legacy', length: 77, activation: 'softmax' },
  { name: 'siglip-projected', length: 64, activation: 'sigmoid' },
] as const)('$name', ({ name, length, activation }) => {
  const goldens = JSON.parse(readFileSync(`${FOLDER}/${name}.json`, 'utf8')) as Goldens;
  const { texts, labels } = goldens;
  let worker: TestWorker;
  let openai: OpenAI;
  let image: string;
  beforeAll(async () => {
    worker = await startWorker({ BUNDLE: name, BUNDLE_SOURCE: 'https', BUNDLE_URL: origin.url });
    openai = new OpenAI({ baseURL: new URL('/v1', worker.url).href, apiKey: 'none', maxRetries: 0 });
    image = `data:image/png;base64,${(await photo(goldens.photo)).toString('base64')}`;
  });
  afterAll(() => worker.close());

  async function embed(input: unknown, options: object = {}) {
    const { status, body } = await result(
      worker.fetch('/v1/embeddings', json({ model: name, input, ...options })),
    );
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body as {
      data: { index: number; embedding: number[]; image?: string; cache?: string }[];
      usage: { prompt_tokens: number; total_tokens: number };
    };
  }
  async function classify(body: object) {
    const { status, body: answer } = await result(worker.fetch('/v1/classify', json(body)));
    if (status !== 200) throw new Error(JSON.stringify(answer));
    return classifyResponse.parse(answer);
  }

  it('tells what it is before any weights are fetched', async () => {
    const { body } = await result(worker.fetch(`/v1/models/${name}`));
    expect(modelSchema.parse(body)).toMatchObject({
      input_modalities: ['text', 'image'],
      output_modalities: ['embeddings'],
      context_length: length,
      license: null,
    });
    expect(await bundleStatus(worker)).toMatchObject({ loaded: { vision: false, text: false } });
  });

  it('gives the official client the text embeddings of transformers, of length 1', async () => {
    const { data, usage } = await openai.embeddings.create({ model: name, input: [...texts] });
    const expected = readCase(name, FOLDER).floats('text_embeds');
    const dim = expected.length / texts.length;
    const total = goldens.tokens.reduce((sum, tokens) => sum + tokens, 0);
    expect(usage).toEqual({ prompt_tokens: total, total_tokens: total });
    expect(data.map(({ index }) => index)).toEqual([...texts.keys()]);
    for (const { index, embedding } of data) {
      const text_embeds = expected.subarray(index * dim, (index + 1) * dim);
      expect(relativeError(Float32Array.from(embedding), text_embeds)).toBeLessThan(BOUND);
      expect(Math.hypot(...embedding)).toBeCloseTo(1, 5);
    }
    expect(await bundleStatus(worker)).toMatchObject({ loaded: { vision: false, text: true } });
  });

  it('embeds images and texts in one request, in its order, and caches images', async () => {
    const { data, usage } = await embed(['a dog', image, { type: 'text', text: 'https://a.dog' }]);
    expect(data.map(({ index, cache }) => [index, cache])).toEqual([
      [0, undefined],
      [1, 'miss'],
      [2, undefined],
    ]);
    expect(data[1]?.image).toMatch(/^sha256:/);
    const alone = await Promise.all([embed('a dog'), embed({ type: 'text', text: 'https://a.dog' })]);
    expect(alone.map((answer) => answer.data[0]?.embedding)).toEqual([
      data[0]?.embedding,
      data[2]?.embedding,
    ]);
    const tokens = alone.map((answer) => answer.usage.prompt_tokens);
    expect(usage.prompt_tokens).toBe((tokens[0] ?? NaN) + 1 + (tokens[1] ?? NaN));

    await worker.restart();
    const { data: again } = await embed(data[1]?.image);
    expect(again).toEqual([{ ...data[1], index: 0, object: 'embedding', cache: 'hit' }]);
    expect(await bundleStatus(worker)).toMatchObject({ loaded: { vision: false, text: false } });
    const { data: packed } = await embed(['a dog', image], { encoding_format: 'base64' });
    const numbers = packed.map(({ embedding }) => {
      const bytes = Buffer.from(String(embedding), 'base64');
      return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
    });
    expect(numbers).toEqual([data[0]?.embedding, data[1]?.embedding]);
    expect(await bundleStatus(worker)).toMatchObject({ loaded: { vision: false, text: true } });
  });

  it.each(Object.entries(goldens.classes))(
    'classifies as the pipeline of transformers with template "%s"',
    async (hypothesis_template, expected) => {
      const { classes } = await classify({
        image,
        labels,
        ...(hypothesis_template === '' ? {} : { hypothesis_template }),
      });
      expect(new Set(classes.map(({ label }) => label))).toEqual(new Set(labels));
      const probabilities = classes.map(({ probability }) => probability);
      expect(probabilities).toEqual(probabilities.toSorted((a, b) => b - a));
      const actual = new Map(classes.map(({ label, probability }) => [label, probability]));
      const inOrder = expected.map(({ label }) => actual.get(label) ?? NaN);
      const wanted = expected.map(({ score }) => score);
      expect(relativeError(Float32Array.from(inOrder), Float32Array.from(wanted))).toBeLessThan(LOGITS_BOUND);
      const sum = probabilities.reduce((a, b) => a + b, 0);
      if (activation === 'softmax') expect(sum).toBeCloseTo(1, 6);
      else expect(classes.map(({ score }) => 1 / (1 + Math.exp(-score)))).toEqual(probabilities);
    },
  );

  it("scores a label by the cosine of its embedding and the image's", async () => {
    const { data } = await embed([image, 'This is a photo of a rocket.', 'This is a photo of nothing.']);
    const [picture = [], ...texts] = data.map(({ embedding }) => embedding);
    const cosines = texts.map((text) => text.reduce((sum, v, i) => sum + v * (picture[i] ?? NaN), 0));
    const { classes } = await classify({ image, labels: ['a rocket', 'nothing'] });
    const scores = ['a rocket', 'nothing'].map(
      (label) => classes.find((c) => c.label === label)?.score ?? NaN,
    );
    const difference = (scores[0] ?? NaN) - (scores[1] ?? NaN);
    expect(difference).toBeCloseTo(Math.exp(1.5) * ((cosines[0] ?? NaN) - (cosines[1] ?? NaN)), 4);
  });

  it('embeds a hundred texts at a time', async () => {
    const { data } = await embed(Array.from({ length: 100 }, (_, i) => `thing ${i}`));
    expect(new Set(data.map(({ embedding }) => embedding.join())).size).toBe(100);
  });

  it('takes a form, and an image sent before', async () => {
    const bytes = new Blob([await photo(goldens.photo)]);
    const { body } = await result(worker.fetch('/v1/images', form({ image: bytes })));
    const { id } = body as { id: string };
    expect(await classify({ image: id, labels })).toMatchObject({ image: id, cache: 'hit' });
  });

  const too_long = 'a dog '.repeat(length);
  describe('refuses', () => {
    const question = [{ role: 'user', content: 'What is it?' }];
    it.each([
      ['/v1/query', { image: 'data:;base64,AA==', prompt: 'What?' }, 'invalid_request', null],
      ['/v1/query', { image: 'data:;base64,AA==', prompt: 'What?', stream: true }, 'invalid_request', null],
      ['/v1/caption', { image: 'data:;base64,AA==' }, 'invalid_request', null],
      ['/v1/chat/completions', { model: name, messages: question }, 'invalid_request', null],
      ['/v1/chat/completions', { model: name, messages: question, stream: true }, 'invalid_request', null],
      ['/tokenize', { text: 'a dog' }, 'invalid_request', null],
      ['/detokenize', { tokens: [1] }, 'invalid_request', null],
    ])('%s %j, and tells what it has', async (path, body, code, param) => {
      const answer = await result(worker.fetch(path, json(body)));
      const message = expect.stringMatching(
        /dual encoder.*\/v1\/embeddings.*\/v1\/classify.*deploy/,
      ) as string;
      expect(answer).toMatchObject({ status: 400, body: { error: { code, param, message } } });
    });

    it.each<[string, string, object, string, string]>([
      [
        'a text that is too long',
        '/v1/embeddings',
        { model: name, input: ['a', too_long] },
        'context_length_exceeded',
        'input.1',
      ],
      [
        'a label that is too long',
        '/v1/classify',
        { labels: ['a', 'a'.padEnd(200, ' a')] },
        'context_length_exceeded',
        'labels.1',
      ],
      ['no labels', '/v1/classify', {}, 'invalid_request', 'labels'],
      ['a prompt', '/v1/classify', { labels: ['a', 'b'], prompt: 'What?' }, 'unsupported_value', 'prompt'],
      [
        'a template',
        '/v1/classify',
        { labels: ['a', 'b'], template: '{label}' },
        'unsupported_value',
        'template',
      ],
      [
        'a template without a place',
        '/v1/classify',
        { labels: ['a', 'b'], hypothesis_template: 'a {label}' },
        'invalid_value',
        'hypothesis_template',
      ],
      ['a blank text', '/v1/embeddings', { model: name, input: ' ' }, 'invalid_value', 'input'],
    ])('%s', async (_, path, body, code, param) => {
      const given = path === '/v1/classify' ? { image, ...body } : body;
      const answer = await result(worker.fetch(path, json(given)));
      expect(answer).toMatchObject({ status: 400, body: { error: { code, param } } });
      if (code === 'context_length_exceeded') {
        expect(answer.body).toMatchObject({
          error: { message: expect.stringMatching(new RegExp(`\\d+ tokens.* ${length}`)) as string },
        });
      }
    });
  });
});
