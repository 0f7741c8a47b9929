import { stat } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IMAGE_TOKENS, SHARDS, SUREST, usageOf } from '../model/default-model.ts';
import { form, json, photo, startWorker, type TestWorker } from './worker.ts';

let worker: TestWorker;
beforeEach(async () => {
  worker = await startWorker();
});
afterEach(() => worker.close());

/** The samples by name and labels, each line of the text held to the format. */
async function scrape(): Promise<ReadonlyMap<string, number>> {
  const response = await worker.fetch('/metrics');
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  const lines = text.trimEnd().split('\n');
  const samples = lines.filter((line) => !line.startsWith('#'));
  const names = new Set(samples.map((line) => /^[a-z_]+/.exec(line)?.[0]));
  for (const name of names) {
    expect(lines.filter((line) => line.startsWith(`# TYPE ${name ?? ''} `))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith(`# HELP ${name ?? ''} `))).toHaveLength(1);
  }
  return new Map(
    samples.map((line) => {
      const [, sample = '', value] =
        /^([a-z_]+(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})?) (-?[\d.e+-]+)$/.exec(line) ?? [];
      expect(sample, line).not.toBe('');
      return [sample, Number(value)];
    }),
  );
}

const GENERATED = 'glimpse_tokens_generated_total';
const IN_FLIGHT = 'glimpse_in_flight';

it('counts what a question costs, and that a second one skips the vision stage', async () => {
  const before = await scrape();
  expect(before.get(GENERATED)).toBe(0);
  expect(before.get('glimpse_memory_bytes{part="wasm"}')).toBe(0);

  const ask = async () => {
    const image = new Blob([await photo(SUREST.file)]);
    await worker.fetch('/v1/query', form({ image, prompt: SUREST.prompt }));
    return scrape();
  };
  const { prompt_tokens, completion_tokens } = usageOf(SUREST);
  const { size } = await stat(`model-shards/glimpse-10m/${SHARDS.vision}`);
  const first = await ask();
  expect(first.get('glimpse_requests_total{method="POST",route="/v1/query",status="200"}')).toBe(1);
  expect(first.get('glimpse_cache_misses_total')).toBe(1);
  expect(first.get('glimpse_tokens_prompt_total')).toBe(prompt_tokens);
  expect(first.get(GENERATED)).toBe(completion_tokens);
  expect(first.get(`glimpse_bundle_fetches_total{file="${SHARDS.vision}"}`)).toBe(1);
  expect(first.get(`glimpse_bundle_bytes_total{file="${SHARDS.vision}"}`)).toBe(size);
  expect(first.get(`glimpse_bundle_fetches_total{file="${SHARDS.classifier}"}`)).toBe(1);
  expect(first.get('glimpse_stage_seconds_total{stage="vision"}')).toBeGreaterThan(0);
  expect(first.get('glimpse_memory_bytes{part="wasm"}')).toBeGreaterThan(2 ** 22);
  expect(first.get('glimpse_memory_bytes{part="image_embeds"}')).toBe(4 * (IMAGE_TOKENS * 256 + 1280));
  expect(first.get(IN_FLIGHT)).toBe(0);

  const second = await ask();
  expect(second.get('glimpse_cache_hits_total{tier="memory"}')).toBe(1);
  expect(second.get('glimpse_cache_misses_total')).toBe(1);
  for (const same of [
    'glimpse_stage_seconds_total{stage="vision"}',
    `glimpse_bundle_fetches_total{file="${SHARDS.vision}"}`,
  ]) {
    expect(second.get(same)).toBe(first.get(same));
  }
  expect(second.get(GENERATED)).toBe(2 * completion_tokens);
});

it('counts errors by route, and unknown paths as one', async () => {
  await worker.fetch('/v1/query', json({}));
  await worker.fetch('/v1/models/other');
  await worker.fetch('/some/where');
  await worker.fetch('/else/where');
  const counts = await scrape();
  expect(counts.get('glimpse_requests_total{method="POST",route="/v1/query",status="400"}')).toBe(1);
  expect(counts.get('glimpse_requests_total{method="GET",route="/v1/models/:id",status="404"}')).toBe(1);
  expect(counts.get('glimpse_requests_total{method="GET",route="none",status="404"}')).toBe(2);
});

describe('a client that leaves in mid-stream', () => {
  it('ends the work: no more tokens, nothing in flight', async () => {
    const url = `data:image/jpeg;base64,${(await photo('rocket.jpg')).toString('base64')}`;
    const question = {
      model: 'glimpse-10m',
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
      logit_bias: { '3': -100 }, // no <|end|>
      max_tokens: 190,
    };
    await worker.fetch('/v1/chat/completions', json(question)); // what it comes to if nobody leaves
    const before = (await scrape()).get(GENERATED) ?? NaN;
    expect(before).toBe(190);

    const client = new AbortController();
    const init = { ...json({ ...question, stream: true }), signal: client.signal };
    const reader = (await worker.fetch('/v1/chat/completions', init)).body?.getReader();
    await reader?.read();
    client.abort();
    await reader?.read().catch(() => undefined);
    await expect.poll(async () => (await scrape()).get(IN_FLIGHT)).toBe(0);
    const then = (await scrape()).get(GENERATED) ?? NaN;
    expect(then).toBeGreaterThan(before);
    expect(then - before).toBeLessThan(100);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await scrape()).get(GENERATED)).toBe(then);
  });
});
