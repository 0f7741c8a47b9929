import { setTimeout as sleep } from 'node:timers/promises';
import { photo } from '../../test/workerd/worker.ts';
import { MAX_BODY_BYTES, MAX_JSON_BYTES } from '../../src/max-body-bytes.ts';
import { startBareWorker, type BareWorker } from './bare-worker.ts';
import { corpus } from './images/corpus.ts';
import type { Context, Row } from './report.ts';

/** Of the 128 that an isolate has. */
export const MAX_MB = 100;
const MEGABYTE = 2 ** 20;

/** Bytes of a request around its image. */
const AROUND = 1024;

interface Image {
  readonly name: string;
  readonly bytes: Uint8Array;
}

interface Route {
  readonly name: string;
  /** The longest file that fits the route's body. */
  readonly room: number;
  readonly request: (image: Uint8Array) => readonly [path: string, init: RequestInit];
}

const PROMPT = 'What is the man doing?';
const IN_FORM = MAX_BODY_BYTES - AROUND;
const IN_JSON = Math.floor(((MAX_JSON_BYTES - AROUND) * 3) / 4);

const blob = (image: Uint8Array): Blob => new Blob([image as Uint8Array<ArrayBuffer>]);
const dataUrl = (image: Uint8Array): string =>
  `data:image/jpeg;base64,${Buffer.from(image).toString('base64')}`;
const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const form = (path: string, fields: Readonly<Record<string, string>> = {}): Route => ({
  name: `${path}, form`,
  room: IN_FORM,
  request(image) {
    const body = new FormData();
    body.set('image', blob(image));
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    return [path, { method: 'POST', body }];
  },
});
const inJson = (path: string, body: (url: string) => unknown): Route => ({
  name: `${path}, JSON`,
  room: IN_JSON,
  request: (image) => [path, json(body(dataUrl(image)))],
});
const raw = (path: string): Route => ({
  name: `${path}, the image itself`,
  room: MAX_BODY_BYTES,
  request: (image) => [
    path,
    { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: blob(image) },
  ],
});

const chat = (url: string): unknown => ({
  model: 'glimpse-10m',
  ...{ n: 8, max_tokens: 200, logit_bias: { '3': -100 } }, // eight answers without an end
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: PROMPT },
        { type: 'image_url', image_url: { url } },
      ],
    },
  ],
});

/** Every route that takes an image, with what takes most in it. */
const ROUTES: readonly Route[] = [
  form('/v1/query', { prompt: PROMPT, num_beams: '3', max_new_tokens: '180' }),
  raw(`/v1/query?prompt=${encodeURIComponent(PROMPT)}`),
  inJson('/v1/query', (image) => ({ image, prompt: PROMPT })),
  form('/v1/caption'),
  inJson('/v1/chat/completions', chat),
  form('/v1/images'),
  inJson('/v1/embeddings', (input) => ({ model: 'glimpse-10m', input })),
  inJson('/v1/classify', (image) => ({ image, labels: Array.from({ length: 100 }, (_, i) => `dog ${i}`) })),
];

/** The largest pictures that are allowed, of each way of decoding: those that hold most first. */
const HEAVIEST = [
  'the largest progressive, 4:2:0',
  'the largest interlaced, 16 bits with alpha',
  'the largest baseline, 4:4:4',
  'the largest grey',
  'the largest RGB and alpha',
];
const heaviest = (count: number): readonly Image[] =>
  HEAVIEST.slice(0, count).flatMap((heavy) =>
    corpus
      .filter(({ name }) => name === heavy)
      .map(({ kind, name, bytes }) => ({ name: `${kind.split(',')[0] ?? ''}, ${name}`, bytes: bytes() })),
  );

/** Each route with each of the largest pictures, in the longest file, in an isolate that has its model loaded. */
export async function memoryPeaks(
  { progress }: Pick<Context, 'progress'>,
  count = HEAVIEST.length,
): Promise<readonly Row[]> {
  const images = heaviest(count);
  const rows: Row[] = [];
  for (const [index, route] of ROUTES.entries()) {
    progress(index, ROUTES.length, `memory: ${route.name}`);
    rows.push(await peakOf(route, images));
  }
  return rows;
}

async function peakOf(route: Route, images: readonly Image[]): Promise<Row> {
  const worker = await startBareWorker();
  const idle = worker.resident('VmRSS');
  const outcomes: Record<string, number> = {};
  const failures: string[] = [];
  let highest = { bytes: 0, name: '' };
  let slowest = { ms: 0, name: '' };
  try {
    await send(worker, route, await photo('rocket.jpg'));
    for (const { name, bytes } of images) {
      const start = performance.now();
      const { peak, status } = await watched(worker, () => send(worker, route, padded(bytes, route.room)));
      const ms = performance.now() - start;
      outcomes[status] = (outcomes[status] ?? 0) + 1;
      if (ms > slowest.ms) slowest = { ms, name };
      if (peak > highest.bytes) highest = { bytes: peak, name };
      if (status !== 200) failures.push(`${name}: ${status}`);
      if (peak > MAX_MB * MEGABYTE) failures.push(`${name}: ${(peak / MEGABYTE).toFixed(0)} MB`);
    }
    const grown = (worker.resident('VmHWM') - idle) / MEGABYTE;
    return {
      ...{ kind: route.name, tried: images.length, outcomes, failures },
      ...{ slowest_ms: slowest.ms, slowest: slowest.name, peak_mb: highest.bytes / MEGABYTE },
      note: `highest with ${highest.name}; workerd's resident set grew by ${grown.toFixed(0)} MB over all of them`,
    };
  } finally {
    worker.close();
  }
}

/** What follows the end of a picture is passed over, and takes its room. */
function padded(image: Uint8Array, length: number): Uint8Array {
  const longer = new Uint8Array(length);
  longer.set(image);
  return longer;
}

async function send(worker: BareWorker, route: Route, image: Uint8Array): Promise<number> {
  const [path, init] = route.request(image);
  const response = await fetch(worker.url + path, init);
  await response.arrayBuffer();
  return response.status;
}

/** The most that was alive in the isolate at any time of `work`: objects, buffers and WebAssembly's memory. */
async function watched(
  worker: BareWorker,
  work: () => Promise<number>,
): Promise<{ readonly peak: number; readonly status: number }> {
  const ended = new AbortController();
  const watching = (async () => {
    let peak = 0;
    while (!ended.signal.aborted) {
      await worker.collect();
      peak = Math.max(peak, await worker.inspector.heapBytes());
      await sleep(10);
    }
    return peak;
  })();
  const status = await work();
  ended.abort();
  // WebAssembly's memory grows and never shrinks, so that afterwards is soon enough.
  return { peak: (await watching) + (await worker.wasmBytes()), status };
}
