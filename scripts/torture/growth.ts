import { photo } from '../../test/workerd/worker.ts';
import { variant } from '../bench/photos.ts';
import type { BareWorker } from './bare-worker.ts';

/** Bytes, after so many requests. */
export interface MemorySample {
  readonly requests: number;
  /** Of the process: runtime, isolate and all that their allocators keep. */
  readonly resident: number;
  /** Of the isolate, after a collection: objects, buffers and WebAssembly's memory. */
  readonly alive: number;
}

const AT_ONCE = 4;
const QUESTIONS = ['What is the man doing?', 'How many people are there?', 'Is this outdoors?'];

/** Sends mixed requests, and looks at the memory every `every` of them. */
export async function watchGrowth(
  worker: BareWorker,
  { requests, every }: { readonly requests: number; readonly every: number },
  onSample: (sample: MemorySample) => void,
): Promise<readonly MemorySample[]> {
  const samples: MemorySample[] = [];
  const send = await mixedRequests(worker);
  for (let done = 0; done < requests; done += every) {
    for (let at = done; at < done + every; at += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => send(at + i)));
    }
    await worker.collect();
    await worker.collect(); // buffers of the first are swept while the Worker goes on
    const sample = {
      requests: done + every,
      resident: worker.resident('VmRSS'),
      alive: (await worker.inspector.heapBytes()) + (await worker.wasmBytes()),
    };
    samples.push(sample);
    onSample(sample);
  }
  return samples;
}

/** A request of each kind in turns: new and cached images, streams, several answers, JSON, errors. */
async function mixedRequests({ url }: BareWorker): Promise<(i: number) => Promise<void>> {
  const [rocket, chelsea] = [await photo('rocket.jpg'), await photo('chelsea.png')];
  const form = (image: Uint8Array, fields: Readonly<Record<string, string>> = {}): RequestInit => {
    const body = new FormData();
    body.set('image', new Blob([image as Uint8Array<ArrayBuffer>]));
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    return { method: 'POST', body };
  };
  const json = (body: unknown): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const dataUrl = `data:image/jpeg;base64,${rocket.toString('base64')}`;
  const content = [
    { type: 'text', text: 'What is the man doing?' },
    { type: 'image_url', image_url: { url: dataUrl } },
  ];
  const chat = { model: 'glimpse-10m', messages: [{ role: 'user', content }] };
  const kinds: readonly ((i: number) => readonly [path: string, init: RequestInit, status: number])[] = [
    (i) => ['/v1/query', form(rocket, { prompt: QUESTIONS[i % QUESTIONS.length] ?? '' }), 200],
    (i) => ['/v1/query', form(variant(rocket, `growth ${i}`), { prompt: 'Is this outdoors?' }), 200],
    () => ['/v1/query', form(chelsea, { prompt: 'What is the man doing?', stream: 'true' }), 200],
    () => ['/v1/chat/completions', json({ ...chat, n: 3, temperature: 1 }), 200],
    () => [
      '/v1/chat/completions',
      json({ ...chat, stream: true, response_format: { type: 'json_object' } }),
      200,
    ],
    () => ['/v1/caption', form(chelsea, { num_beams: '4' }), 200],
    () => ['/v1/classify', json({ image: dataUrl, labels: ['dog', 'man', 'boat'] }), 200],
    () => ['/v1/embeddings', json({ model: 'glimpse-10m', input: dataUrl }), 200],
    (i) => ['/v1/images', form(variant(rocket, `images ${i}`)), 200],
    () => ['/v1/query', form(rocket.subarray(0, 5000), { prompt: 'a' }), 422],
    () => ['/v1/query', json({ prompt: 'no image' }), 400],
  ];
  return async (i) => {
    const request = kinds[i % kinds.length];
    if (request === undefined) throw new Error('no kind');
    const [path, init, status] = request(i);
    const response = await fetch(url + path, init);
    const text = await response.text();
    if (response.status !== status) throw new Error(`${path}: ${response.status} for ${status}: ${text}`);
  };
}

export interface Slope {
  /** Bytes a request, by least squares. */
  readonly slope: number;
  readonly standard_error: number;
}

/** Of the later half: the first fills caches. */
export function slopeOf(samples: readonly MemorySample[], value: (sample: MemorySample) => number): Slope {
  const later = samples.slice(samples.length >> 1);
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, next) => sum + next, 0) / values.length;
  const x = later.map(({ requests }) => requests);
  const y = later.map(value);
  const [xMean, yMean] = [mean(x), mean(y)];
  const squares = x.reduce((sum, xi) => sum + (xi - xMean) ** 2, 0);
  const slope = x.reduce((sum, xi, i) => sum + (xi - xMean) * ((y[i] ?? 0) - yMean), 0) / squares;
  const residuals = x.reduce((sum, xi, i) => sum + ((y[i] ?? 0) - yMean - slope * (xi - xMean)) ** 2, 0);
  return { slope, standard_error: Math.sqrt(residuals / (x.length - 2) / squares) };
}
