import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GenerationOptions } from '../../src/generation/config.ts';
import { ratio, spread, type Spread } from './harness.ts';
import { photo, variant } from './photos.ts';
import { PROMPT } from './pipeline.ts';
import { less, startServer, type CpuTime, type Server, type WorkerBuild } from './server.ts';

const HEALTH = '/health';
/** New images over which CPU time is taken. */
const FEW = 12;

/** Where a request finds its image, and what state the isolate is in. */
const CASES = [
  'new image, cold isolate',
  'new image',
  'cached image, fresh isolate',
  'repeat',
  'repeat by handle',
] as const;
type Case = (typeof CASES)[number];

export interface WorkerResult {
  /** From sending the request to its first streamed text. */
  readonly first_token_ms: Readonly<Record<Case, Spread>>;
  /** Times as long as `repeat`, start by start. */
  readonly ratios: Readonly<Record<Case, Spread>>;
  /** From starting `wrangler dev` to its first answer about an image; and the part up to /health. */
  readonly start_to_first_answer_ms: Spread;
  readonly start_ms: Spread;
  /** CPU time of a request by kind, less that of /health, which stands beside them. */
  readonly cpu_ms: Readonly<Record<string, { readonly process: Spread; readonly thread: Spread }>>;
  readonly completion_tokens: number;
}

export interface WorkerOptions {
  /** Times that the Worker is started anew. */
  readonly starts: number;
  /** Requests in a row over which the CPU time of a prompt is taken; ticks are of 10 ms. */
  readonly many: number;
}

/** The Worker as it is deployed, in a local workerd. */
export async function benchWorker(
  build: WorkerBuild,
  { starts, many }: WorkerOptions,
): Promise<WorkerResult> {
  const state = mkdtempSync(join(tmpdir(), 'glimpse-bench-'));
  const picture = photo(640, 480);
  const times = Object.fromEntries(CASES.map((name) => [name, [] as number[]])) as Record<Case, number[]>;
  const cpu: CpuTimes = {};
  const start_ms: number[] = [];
  const start_to_first_answer_ms: number[] = [];
  let completion_tokens = 0;

  for (let start = 0; start < starts; start++) {
    const image = variant(picture, `start ${start}`);
    const cached: string[] = [];
    await withServer(build, state, async (server) => {
      const from = performance.now();
      const cold = await ask(server, image, 'miss');
      start_ms.push(server.start_ms);
      start_to_first_answer_ms.push(server.start_ms + performance.now() - from);
      times['new image, cold isolate'].push(cold.first_token_ms);
      completion_tokens = cold.completion_tokens;
      await settle(server);
      times['new image'].push((await ask(server, variant(picture, `warm ${start}`), 'miss')).first_token_ms);
      times.repeat.push((await ask(server, image, 'hit')).first_token_ms);
      times['repeat by handle'].push((await ask(server, cold.image, 'hit')).first_token_ms);
      await cpuByKind(server, cpu, {
        'new 640x480 JPEG': [
          FEW,
          async (i) =>
            void cached.push((await ask(server, variant(picture, `${start} ${i}`), 'miss', false)).image),
        ],
      });
    });
    await withServer(build, state, async (server) => {
      const { first_token_ms, image: handle } = await ask(server, image, 'hit');
      times['cached image, fresh isolate'].push(first_token_ms);
      await sleep(100);
      record(cpu, 'cached image, fresh isolate: bundle loads', server.cpu());
      await settle(server);
      await cpuByKind(server, cpu, {
        'cached image, first prompt in the isolate': [
          cached.length,
          (i) => ask(server, cached[i] ?? '', 'hit', false),
        ],
        'cached image, further prompt, by handle': [many, () => ask(server, handle, 'hit', false)],
        'cached image, further prompt, image sent': [many, () => ask(server, image, 'hit', false)],
      });
    });
  }
  rmSync(state, { recursive: true });
  return {
    first_token_ms: mapValues(times, spread),
    ratios: mapValues(times, (values) => ratio(values, times.repeat)),
    start_to_first_answer_ms: spread(start_to_first_answer_ms),
    start_ms: spread(start_ms),
    cpu_ms: mapValues(cpu, ({ process, thread }) => ({ process: spread(process), thread: spread(thread) })),
    completion_tokens,
  };
}

async function withServer(
  build: WorkerBuild,
  state: string,
  use: (server: Server) => Promise<void>,
): Promise<void> {
  const server = await startServer(build, state);
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

interface Asked {
  readonly first_token_ms: number;
  /** Until all of the answer was there. */
  readonly ms: number;
  readonly answer: string;
  readonly image: string;
  readonly completion_tokens: number;
}

/** One question. @throws unless the image came from where it was expected */
export async function ask(
  { url }: Pick<Server, 'url'>,
  image: Uint8Array<ArrayBuffer> | string,
  cache: 'hit' | 'miss',
  stream = true,
  generation: GenerationOptions = {},
): Promise<Asked> {
  const form = new FormData();
  form.set('image', typeof image === 'string' ? image : new Blob([image]));
  form.set('prompt', PROMPT);
  form.set('stream', String(stream));
  for (const [name, value] of Object.entries(generation)) form.set(name, String(value));
  const start = performance.now();
  const response = await fetch(`${url}/v1/query`, { method: 'POST', body: form });
  let first_token_ms = NaN;
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (Number.isNaN(first_token_ms) && text.includes('"delta"')) first_token_ms = performance.now() - start;
  }
  const ms = performance.now() - start;
  const body = stream ? /^data: (\{"id".*\})$/m.exec(text)?.[1] : text;
  if (!response.ok || body === undefined) throw new Error(`the Worker answered ${response.status}: ${text}`);
  const answer = JSON.parse(body) as {
    answer: string;
    image: string;
    cache: string;
    usage: { completion_tokens: number };
  };
  if (answer.cache !== cache) throw new Error(`the image was a ${answer.cache}, not a ${cache}`);
  return {
    first_token_ms,
    ms,
    answer: answer.answer,
    image: answer.image,
    completion_tokens: answer.usage.completion_tokens,
  };
}

/** A second without requests and then some: V8 finishes compiling what is hot. */
async function settle(server: Server): Promise<void> {
  for (let i = 0; i < 20; i++) await (await fetch(`${server.url}/health`)).text();
  await sleep(1000);
}

/** CPU time by kind of request, a figure a start. */
type CpuTimes = Record<string, { process: number[]; thread: number[] }>;

function record(times: CpuTimes, kind: string, { process, thread }: CpuTime): void {
  const { process: processes, thread: threads } = (times[kind] ??= { process: [], thread: [] });
  processes.push(process);
  threads.push(thread);
}

/** CPU time a request of each kind, less a /health's in the same process: HTTP and routing are not in it. */
async function cpuByKind(
  server: Server,
  times: CpuTimes,
  kinds: Readonly<Record<string, readonly [requests: number, request: (i: number) => Promise<unknown>]>>,
): Promise<void> {
  const perRequest = async (requests: number, request: (i: number) => Promise<unknown>): Promise<CpuTime> => {
    const before = server.cpu();
    for (let i = 0; i < requests; i++) await request(i);
    const { process, thread } = less(server.cpu(), before);
    return { process: process / requests, thread: thread / requests };
  };
  const health = await perRequest(100, async () => (await fetch(`${server.url}/health`)).text());
  record(times, HEALTH, health);
  for (const [kind, [requests, request]] of Object.entries(kinds)) {
    record(times, kind, less(await perRequest(requests, request), health));
  }
}

function mapValues<K extends string, V, W>(record: Readonly<Record<K, V>>, f: (value: V) => W): Record<K, W> {
  return Object.fromEntries(Object.entries<V>(record).map(([key, value]) => [key, f(value)])) as Record<K, W>;
}
