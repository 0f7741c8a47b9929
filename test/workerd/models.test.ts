import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { modelListSchema, modelSchema } from '../../src/routes/models.ts';
import { bundleStatus, result, startWorker, type TestWorker } from './worker.ts';

let worker: TestWorker;
beforeAll(async () => {
  worker = await startWorker();
});
afterAll(() => worker.close());

it('tells the model before any weights are fetched', async () => {
  const manifest = JSON.parse(await readFile('model-shards/glimpse-10m/manifest.json', 'utf8')) as {
    digest: string;
  };
  const { data } = modelListSchema.parse((await result(worker.fetch('/v1/models'))).body);
  expect(data).toEqual([
    {
      id: 'glimpse-10m',
      object: 'model',
      created: 0,
      owned_by: 'glimpse',
      input_modalities: ['text', 'image'],
      output_modalities: ['text'],
      context_length: 256,
      license: 'non-commercial-research-and-education',
      digest: manifest.digest,
    },
  ]);
  expect(modelSchema.parse((await result(worker.fetch('/v1/models/glimpse-10m'))).body)).toEqual(data[0]);
  expect(await bundleStatus(worker)).toMatchObject({ loaded: { vision: false, text: false } });
});

it('knows no other', async () => {
  expect(await result(worker.fetch('/v1/models/gpt-4o'))).toMatchObject({
    status: 404,
    body: { error: { code: 'model_not_found', type: 'invalid_request_error', param: 'model' } },
  });
});

it('is ready when the bundle opens, and says why when it does not', async () => {
  expect(await result(worker.fetch('/ready'))).toMatchObject({ status: 200, body: { status: 'ready' } });
  const without = await startWorker({ BUNDLE: 'no-such-bundle' });
  const response = await without.fetch('/ready');
  expect(response.headers.has('retry-after')).toBe(true);
  expect(await result(response)).toMatchObject({
    status: 503,
    body: {
      error: { code: 'shard_unavailable', message: expect.stringContaining('no-such-bundle') as string },
    },
  });
  expect((await without.fetch('/health')).status).toBe(200);
  await without.close();
});
