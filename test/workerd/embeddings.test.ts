import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IMAGE_TOKENS } from '../model/default-model.ts';
import { readGoldens, cosine } from '../model/goldens.ts';
import { json, photo, result, startWorker, type TestWorker } from './worker.ts';

const goldens = readGoldens('test/fixtures/model');
const files = [...new Map(goldens.cases.map(({ image, file }) => [image, file])).values()];
const HIDDEN = 256;

let worker: TestWorker;
let openai: OpenAI;
let urls: string[];
beforeAll(async () => {
  worker = await startWorker();
  openai = new OpenAI({ baseURL: new URL('/v1', worker.url).href, apiKey: 'none' });
  urls = await Promise.all(
    files.map(async (file) => `data:image/jpeg;base64,${(await photo(file)).toString('base64')}`),
  );
});
afterAll(() => worker.close());

/** PyTorch's image_embeds of an image, averaged over its tokens. */
function expected(image: number): Float32Array {
  const embeds = goldens.tensor(`${image}.image_embeds`);
  const tokens = embeds.length / HIDDEN;
  return Float32Array.from({ length: HIDDEN }, (_, i) => {
    const column = Array.from({ length: tokens }, (_, token) => embeds[token * HIDDEN + i] ?? NaN);
    return column.reduce((sum, value) => sum + value, 0) / tokens;
  });
}

it('gives the official client the mean of what PyTorch gives', async () => {
  const { data, model, usage } = await openai.embeddings.create({ model: 'glimpse-10m', input: urls });
  expect(model).toBe('glimpse-10m');
  expect(usage).toEqual({
    prompt_tokens: IMAGE_TOKENS * urls.length,
    total_tokens: IMAGE_TOKENS * urls.length,
  });
  expect(data.map(({ index }) => index)).toEqual([...urls.keys()]);
  for (const { index, embedding } of data) {
    expect(embedding).toHaveLength(HIDDEN);
    expect(cosine(Float32Array.from(embedding), expected(index))).toBeGreaterThan(0.995);
  }
});

it('gives the same as numbers and as base64, of a handle and of a part', async () => {
  const ask = async (body: object) => {
    const { status, body: answer } = await result(
      worker.fetch('/v1/embeddings', json({ model: 'glimpse-10m', ...body })),
    );
    expect(status).toBe(200);
    return (answer as { data: { embedding: unknown; image: string; cache: string }[] }).data;
  };
  const [numbers] = await ask({ input: urls[0] });
  const [packed] = await ask({
    input: [{ type: 'image_url', image_url: { url: numbers?.image } }],
    encoding_format: 'base64',
  });
  expect(packed).toMatchObject({ image: numbers?.image, cache: 'hit' });
  const bytes = Buffer.from(packed?.embedding as string, 'base64');
  expect(bytes.length).toBe(4 * HIDDEN);
  expect(Array.from({ length: HIDDEN }, (_, i) => bytes.readFloatLE(4 * i))).toEqual(numbers?.embedding);
});

describe('refuses', () => {
  const model = 'glimpse-10m';
  it.each([
    ['a text', { model, input: 'a dog' }, 400, 'invalid_value', 'input'],
    [
      'a text among images',
      { model, input: ['data:image/png;base64,AA==', 'a dog'] },
      400,
      'invalid_value',
      'input',
    ],
    ['no input', { model }, 400, 'invalid_value', 'input'],
    [
      '17 images',
      { model, input: Array.from({ length: 17 }, () => 'data:;base64,AA==') },
      400,
      'invalid_value',
      'input',
    ],
    ['101 texts', { model, input: Array.from({ length: 101 }, String) }, 400, 'invalid_value', 'input'],
    ['dimensions', { model, input: 'a', dimensions: 64 }, 400, 'unknown_option', 'dimensions'],
    ['another model', { model: 'clip', input: 'a' }, 404, 'model_not_found', 'model'],
    ['an unknown handle', { model, input: `sha256:${'0'.repeat(64)}` }, 404, 'image_not_found', 'input'],
    ['what is no image', { model, input: `data:;base64,${btoa('hello')}` }, 415, 'unsupported_image', null],
    [
      'another encoding',
      { model, input: 'a', encoding_format: 'hex' },
      400,
      'invalid_value',
      'encoding_format',
    ],
  ])('%s', async (_, body, status, code, param) => {
    expect(await result(worker.fetch('/v1/embeddings', json(body)))).toMatchObject({
      status,
      body: { error: param === null ? { code } : { code, param } },
    });
  });
});
