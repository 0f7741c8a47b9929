import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf, sha256Hex, type Manifest } from '../../src/bundle/manifest.ts';
import { NO_REQUEST } from '../../src/node.ts';
import type { Pipeline } from '../../src/pipeline/pipeline.ts';
import {
  answerOf,
  bundleStatus,
  form,
  json,
  photo,
  result,
  startWorker,
  type TestWorker,
} from '../workerd/worker.ts';
import { MODELS, importModel, isCaptioner, openModel, pipelineOf, type Model } from './fixtures.ts';

/** Where worker/wrangler.toml has its bundles. */
const BUNDLES = 'build/onnx-bundles';
const startModel = (BUNDLE: string) => startWorker({ BUNDLE }, 'test/onnx/worker/wrangler.toml');

let rocket: Buffer<ArrayBuffer>;
beforeAll(async () => {
  rocket = await photo('rocket.jpg');
  for (const model of MODELS) await importModel(model, BUNDLES);
});
const image = () => new Blob([rocket]);
const PROMPT = 'what is it?';

describe.each(MODELS)('%s in workerd', (name) => {
  const captions = isCaptioner(name);
  let worker: TestWorker;
  let onNode: Pipeline;
  beforeAll(async () => {
    onNode = pipelineOf(name, await openModel(name, 'build/onnx-on-node'));
    worker = await startModel(name);
  });
  afterAll(() => worker.close());

  const path = captions ? '/v1/caption' : '/v1/query';
  const fields = captions ? {} : { prompt: PROMPT };
  const ask = (options: Readonly<Record<string, string>> = {}) =>
    answerOf(worker.fetch(path, form({ image: image(), ...fields, ...options })));
  const expected = async (generation: object = {}): Promise<string> => {
    const question = { image: { bytes: rocket }, prompt: PROMPT, is_caption: captions, generation };
    return (await onNode.ask({ ...NO_REQUEST, ...question })).answer;
  };

  it('answers as on Node, and the second time in a new isolate without its encoder', async () => {
    const first = await ask();
    expect(first).toMatchObject({ model: name, answer: await expected(), cache: 'miss' });
    expect(first.timings).toHaveProperty('vision');
    await worker.restart();
    const again = await ask();
    expect(again).toMatchObject({ answer: first.answer, cache: 'hit', image: first.image });
    expect(await bundleStatus(worker)).toMatchObject({ loaded: { vision: false, text: true } });
  });

  it('searches beams', async () => {
    expect((await ask({ num_beams: '4' })).answer).toBe(await expected({ num_beams: 4 }));
  });

  it('streams what it answers, and serves on when a stream is left', async () => {
    const { answer, image } = await ask();
    const query = (init: RequestInit = {}) =>
      worker.fetch(path, { ...json({ image, ...fields, stream: true }), ...init });
    const events = (await (await query()).text()).split('\n\n').filter((event) => event.includes('"delta"'));
    const deltas = events.map(
      (event) => (JSON.parse(event.slice('data: '.length)) as { delta: string }).delta,
    );
    expect(deltas.length).toBeGreaterThan(5);
    expect(deltas.join('')).toBe(answer);

    const left = new AbortController();
    const reader = (await query({ signal: left.signal })).body?.getReader();
    await reader?.read();
    left.abort();
    await expect(reader?.read()).rejects.toThrow();
    expect((await ask()).answer).toBe(answer);
  });

  it('answers several at once as one after the other', async () => {
    const options = ['5', '9', '12'].map((max_new_tokens) => ({ max_new_tokens }));
    const alone: string[] = [];
    for (const option of options) alone.push((await ask(option)).answer);
    const together = await Promise.all(options.map((option) => ask(option)));
    expect(together.map(({ answer }) => answer)).toEqual(alone);
  });

  it.runIf(captions)('refuses a prompt', async () => {
    const asked = await result(worker.fetch('/v1/query', form({ image: image(), prompt: PROMPT })));
    expect(asked).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_value' } },
    });
    expect(JSON.stringify(asked.body)).toContain('reads no text: ask /v1/caption');
  });

  it.runIf(name === 'tiny-llava')('chooses between labels, answers twice and embeds', async () => {
    const labels = ['a man', 'a dog', 'a red hat'];
    const classified = await result(worker.fetch('/v1/classify', json({ image: dataUrl(), labels })));
    expect(classified).toMatchObject({ status: 200, body: { classes: { length: 3 } } });
    const content = [
      { type: 'image_url', image_url: { url: dataUrl() } },
      { type: 'text', text: PROMPT },
    ];
    const chat = { model: name, messages: [{ role: 'user', content }], n: 2, seed: 1, max_tokens: 6 };
    const answered = await result(worker.fetch('/v1/chat/completions', json(chat)));
    expect(answered).toMatchObject({ status: 200, body: { choices: { length: 2 } } });
    const embedded = await result(worker.fetch('/v1/embeddings', json({ model: name, input: dataUrl() })));
    expect(embedded).toMatchObject({ status: 200, body: { usage: { prompt_tokens: 16 } } });
  });
});

it('a graph that is none is a bundle that is wrong', async () => {
  await breakGraph('tiny-donut', 'encoder_model.onnx');
  const worker = await startModel('tiny-donut');
  const asked = await result(worker.fetch('/v1/query', form({ image: image(), prompt: PROMPT })));
  expect(asked).toMatchObject({ body: { error: { code: 'bundle_invalid' } } });
  await worker.close();
});

const dataUrl = () => `data:image/jpeg;base64,${rocket.toString('base64')}`;

/** A bundle whose manifest is right about a file that is not. */
async function breakGraph(model: Model, name: string): Promise<void> {
  const folder = `${BUNDLES}/${model}`;
  const manifest = JSON.parse(await readFile(`${folder}/manifest.json`, 'utf8')) as Manifest;
  const bytes = new TextEncoder().encode('no graph');
  const files = { ...manifest.files, [name]: { size: bytes.length, sha256: await sha256Hex(bytes) } };
  await writeFile(`${folder}/${name}`, bytes);
  const changed = { ...manifest, files, digest: await digestOf(files) };
  await writeFile(`${folder}/manifest.json`, JSON.stringify(changed));
}
