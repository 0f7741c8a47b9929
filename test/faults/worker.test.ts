import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { SHARDS } from '../model/default-model.ts';
import { form, photo, startWorker, type TestWorker } from '../workerd/worker.ts';
import { readBundle, type Files } from './faulty-source.ts';

// The same faults in workerd, with production's time limits: its fetch and its streams fail in ways of their own.

const ID = 'glimpse-10m';
const TEXT_SHARD = SHARDS.text;

type Fault = (response: ServerResponse, bytes: Uint8Array) => void;
let fault: { readonly file: string; times: number; readonly act: Fault } | undefined;
let files: Files;
let origin: Server;
let worker: TestWorker;
let answer: string;

beforeAll(async () => {
  files = await readBundle(`model-shards/${ID}`);
  origin = createServer((request, response) => {
    const name = (request.url ?? '').replace(`/${ID}/`, '');
    const bytes = files.get(name);
    if (bytes === undefined) response.writeHead(404).end();
    else if (fault?.file === name && fault.times > 0) {
      fault.times -= 1;
      fault.act(response, bytes);
    } else response.end(bytes);
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  const { port } = origin.address() as AddressInfo;
  worker = await startWorker({ BUNDLE_SOURCE: 'https', BUNDLE_URL: `http://127.0.0.1:${port}` });
  answer = (await ask()).told;
  expect(answer).toMatch(/\w+ \w+/);
});
afterAll(async () => {
  await worker.close();
  origin.closeAllConnections();
  origin.close();
});
beforeEach(() => worker.restart());

async function ask(): Promise<{ status: number; retry_after: string | null; told: string }> {
  const image = new Blob([await photo('rocket.jpg')]);
  const response = await worker.fetch('/v1/query', form({ image, prompt: 'What is in the picture?' }));
  const body = (await response.json()) as { answer?: string; error?: { code: string; message: string } };
  const told = body.answer ?? `${body.error?.code ?? ''} ${body.error?.message ?? ''}`;
  return { status: response.status, retry_after: response.headers.get('retry-after'), told };
}

const FAULTS: Readonly<Record<string, Fault>> = {
  '404': (response) => response.writeHead(404).end(),
  '500': (response) => response.writeHead(500).end('sorry'),
  'connection lost': (response) => response.socket?.destroy(),
  'lost in the middle': (response, bytes) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket?.destroy());
  },
  truncation: (response, bytes) => response.end(bytes.subarray(0, bytes.length >> 1)),
  'flipped bit': (response, bytes) => response.end(bytes.with(1000, (bytes[1000] ?? 0) ^ 1)),
  hang: () => undefined,
  'stalled body': (response, bytes) => response.write(bytes.subarray(0, 100)),
};

test.each(Object.keys(FAULTS))('%s, once: the right answer', async (name) => {
  fault = { file: TEXT_SHARD, times: 1, act: FAULTS[name] ?? (() => undefined) };
  expect(await ask()).toMatchObject({ status: 200, told: answer });
  expect(fault.times).toBe(0);
});

test.each(['manifest.json', TEXT_SHARD])('%s hangs: 503 in time, then the right answer', async (file) => {
  fault = { file, times: Infinity, act: () => undefined };
  const from = performance.now();
  const failed = await ask();
  expect(failed).toMatchObject({ status: 503, retry_after: '1' });
  expect(failed.told).toContain(`shard_unavailable ${file} of the model bundle`);
  expect(performance.now() - from).toBeLessThan(25_000);
  fault = undefined;
  expect(await ask()).toMatchObject({ status: 200, told: answer });
});

test.each(['404', 'flipped bit', 'connection lost'])(
  '%s until mended: 503, then the right answer',
  async (name) => {
    fault = { file: TEXT_SHARD, times: Infinity, act: FAULTS[name] ?? (() => undefined) };
    expect(await ask()).toMatchObject({ status: 503, retry_after: '1' });
    fault = undefined;
    expect(await ask()).toMatchObject({ status: 200, told: answer });
  },
);
