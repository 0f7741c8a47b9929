import { setTimeout as sleep } from 'node:timers/promises';
import { photo } from '../../test/workerd/worker.ts';
import { spread } from '../bench/harness.ts';
import { photo as photoOf, variant } from '../bench/photos.ts';
import { uniform } from '../bench/products.ts';
import { startBareWorker, type BareWorker } from './bare-worker.ts';
import { loadRequests, type LoadRequest, type Outcome } from './load-requests.ts';
import type { Row, Section } from './report.ts';

export interface LoadOptions {
  readonly connections: number;
  readonly seconds: number;
  readonly seed: number;
}

/** A request that took so long hangs: the queues on its way give up after ten seconds each. */
const HANGS = 60_000;
/** Of what is alive in the isolate, which has 128. */
const MAX_MB = 120;

/** Two hundred connections for two minutes, then what follows from it. */
export const load: Section = {
  name: 'load',
  title: 'Load',
  async run({ seed, progress }) {
    return runLoad({ connections: 200, seconds: 120, seed }, progress);
  },
};

export async function runLoad(
  options: LoadOptions,
  progress: (done: number, total: number, what: string) => void,
): Promise<readonly Row[]> {
  const worker = await startBareWorker();
  try {
    return [
      ...(await mixed(worker, options, progress)),
      await oneNewImage(worker),
      await burst(worker),
      await oneCaller(),
    ];
  } finally {
    worker.close();
  }
}

interface Done {
  readonly kind: LoadRequest['kind'];
  readonly outcome: Outcome;
  readonly ms: number;
}

/** Each connection sends its next request when the last has ended. */
async function mixed(
  worker: BareWorker,
  { connections, seconds, seed }: LoadOptions,
  progress: (done: number, total: number, what: string) => void,
): Promise<readonly Row[]> {
  const next = await loadRequests(worker.url, uniform(seed));
  const done: Done[] = [];
  let [highest, highest_alive] = [0, 0];
  const end = performance.now() + seconds * 1000;
  const connection = async (): Promise<void> => {
    while (performance.now() < end) {
      const request = next();
      const start = performance.now();
      const outcome = await request.send(worker.url, AbortSignal.timeout(HANGS)).catch(wrong);
      done.push({ kind: request.kind, outcome, ms: performance.now() - start });
      if (outcome === 'refused for load') await sleep(1000); // as Retry-After says
    }
  };
  const watch = async (): Promise<void> => {
    while (performance.now() < end) {
      highest = Math.max(highest, await heldBytes(worker));
      await worker.collect();
      highest_alive = Math.max(highest_alive, await heldBytes(worker));
      progress(done.length, done.length + 1, 'load');
      await sleep(1000);
    }
  };
  await Promise.all([...Array.from({ length: connections }, connection), watch()]);
  const kinds = Map.groupBy(done, ({ kind }) => kind);
  const rows = [...kinds].map(([kind, all]) => rowOf(kind, all));
  return [...rows, fairness(kinds), await afterwards(worker, highest, highest_alive)];
}

const wrong = (error: unknown): Outcome => ({
  wrong: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
});

function rowOf(kind: string, all: readonly Done[]): Row {
  const outcomes: Record<string, number> = {};
  for (const { outcome } of all) {
    const name = typeof outcome === 'string' ? outcome : 'wrong';
    outcomes[name] = (outcomes[name] ?? 0) + 1;
  }
  const { median, max } = spread(all.map(({ ms }) => ms));
  const failures = all.flatMap(({ outcome }) => (typeof outcome === 'string' ? [] : [outcome.wrong]));
  return {
    ...{ kind, tried: all.length, outcomes, failures: [...new Set(failures)] },
    ...{ slowest_ms: max, slowest: `median ${median.toFixed(0)} ms`, peak_mb: null },
  };
}

/** A short request does not wait for long ones to end: half of the short ones are answered before half of the long. */
function fairness(kinds: ReadonlyMap<string, readonly Done[]>): Row {
  const answered = (kind: string): number[] =>
    (kinds.get(kind) ?? []).filter(({ outcome }) => outcome === 'right').map(({ ms }) => ms);
  const [short, long] = [answered('short'), answered('new image')];
  const [quick, slow] = [spread(short), spread(long)];
  const share = short.length / Math.max(1, kinds.get('short')?.length ?? 0);
  const failures = [
    ...(share < 0.9 ? [`only ${(100 * share).toFixed(0)} % of the short ones were answered`] : []),
    ...(quick.median < slow.median ? [] : ['short ones take as long as those about new images']),
  ];
  return {
    ...{ kind: 'fairness', tried: short.length, outcomes: { 'short ones answered': short.length }, failures },
    ...{ slowest_ms: quick.max, slowest: 'a short one', peak_mb: null },
    note: `median of a short request ${quick.median.toFixed(0)} ms (three in four within ${quick.q3.toFixed(0)}), of one about a new image ${slow.median.toFixed(0)} ms`,
  };
}

/** Nothing is left in flight, memory holds, and the next request is right. */
async function afterwards(worker: BareWorker, highest: number, highest_alive: number): Promise<Row> {
  const failures: string[] = [];
  for (let tries = 0; (await metric(worker, 'glimpse_in_flight')) > 0; tries++) {
    if (tries === 100) failures.push('requests are in flight that nobody waits for');
    if (tries === 100) break;
    await sleep(100);
  }
  await worker.collect();
  await worker.collect();
  const [alive, peak, peak_alive] = [await heldBytes(worker), highest, highest_alive].map(
    (bytes) => bytes / 2 ** 20,
  ) as [number, number, number];
  if (peak_alive > MAX_MB) failures.push(`${peak_alive.toFixed(0)} MB alive at a time`);
  if (alive > MAX_MB / 2) failures.push(`${alive.toFixed(0)} MB stay`);
  return {
    ...{ kind: 'afterwards', tried: 1, outcomes: { 'nothing in flight': 1 }, failures },
    ...{ slowest_ms: 0, slowest: '', peak_mb: peak_alive },
    note: `up to ${peak_alive.toFixed(0)} MB were alive in the isolate, ${peak.toFixed(0)} with its garbage; ${alive.toFixed(0)} MB are alive afterwards`,
  };
}

const heldBytes = async (worker: BareWorker): Promise<number> =>
  (await worker.inspector.heapBytes()) + (await worker.wasmBytes());

/** So many at a time, all about one image that nobody has seen: vision runs once, and all get the one answer. */
async function oneNewImage(worker: BareWorker): Promise<Row> {
  const image = variant(await photo('chelsea.png').then(() => photoOf(320, 240)), `one ${Date.now()}`);
  const runs = (): Promise<number> => metric(worker, 'glimpse_stage_runs_total{stage="vision"}');
  const before = await runs();
  const answers = await Promise.all(Array.from({ length: 50 }, () => query(worker.url, image)));
  const ran = (await runs()) - before;
  const texts = new Set(answers.map(({ status, text }) => `${status} ${answerOf(text)}`));
  return {
    ...{
      kind: 'many for one new image',
      tried: answers.length,
      outcomes: { [`vision ran ${ran} times`]: 1 },
    },
    failures: [
      ...(ran === 1 ? [] : [`vision ran ${ran} times`]),
      ...(texts.size === 1 && [...texts][0]?.startsWith('200') ? [] : [...texts]),
    ],
    ...{ slowest_ms: 0, slowest: '', peak_mb: null },
  };
}

/** More at a time than may wait: some are refused at once with Retry-After, the others answered, and none hangs. */
async function burst(worker: BareWorker): Promise<Row> {
  const rocket = await photo('rocket.jpg');
  return crowd(
    '600 new images at once',
    600,
    (i) => query(worker.url, variant(rocket, `burst ${i} ${Date.now()}`)),
    503,
  );
}

/** One API key sends more at a time than one key may. */
async function oneCaller(): Promise<Row> {
  const worker = await startBareWorker({ API_KEYS: 'a-key-for-the-load' });
  try {
    const rocket = await photo('rocket.jpg');
    const headers = { authorization: 'Bearer a-key-for-the-load' };
    return await crowd(
      '100 of one API key at once',
      100,
      (i) => query(worker.url, variant(rocket, `key ${i}`), headers),
      429,
    );
  } finally {
    worker.close();
  }
}

interface Told {
  readonly status: number;
  readonly text: string;
  readonly retry_after: string | null;
  readonly ms: number;
}

/**
 * A refusal is sent before the body is read, and the connection closed. Who is still writing then may hear of
 * the one and not of the other; the proxies in front of a deployed Worker read bodies to their end.
 */
const isClosed = ({ status, text }: Told): boolean => status === 0 && /EPIPE|ECONNRESET/.test(text);

async function crowd(
  kind: string,
  count: number,
  ask: (i: number) => Promise<Told>,
  refusal: number,
): Promise<Row> {
  const told = await Promise.all(Array.from({ length: count }, (_, i) => ask(i)));
  const outcomes: Record<string, number> = {};
  for (const answer of told) {
    const name = isClosed(answer) ? 'closed' : answer.status;
    outcomes[name] = (outcomes[name] ?? 0) + 1;
  }
  const closed = told.filter(isClosed).length;
  const odd = told.filter(
    (answer) =>
      answer.status !== 200 &&
      !isClosed(answer) &&
      !(answer.status === refusal && answer.retry_after !== null),
  );
  const failures = [
    ...odd.map(({ status, text }) => `${status}: ${text}`),
    ...(closed > count / 100 ? [`${closed} connections were closed`] : []),
    ...[200, refusal].filter((status) => outcomes[status] === undefined).map((status) => `no ${status}`),
  ];
  const slowest_ms = Math.max(...told.map(({ ms }) => ms));
  return { kind, tried: count, outcomes, failures, slowest_ms, slowest: '', peak_mb: null };
}

async function query(
  url: string,
  image: Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Told> {
  const body = new FormData();
  body.set('image', new Blob([image]));
  body.set('prompt', 'How many people are there?');
  const start = performance.now();
  try {
    const signal = AbortSignal.timeout(HANGS);
    const response = await fetch(`${url}/v1/query`, { method: 'POST', body, headers, signal });
    const text = await response.text();
    return {
      status: response.status,
      text,
      retry_after: response.headers.get('retry-after'),
      ms: performance.now() - start,
    };
  } catch (error) {
    return {
      status: 0,
      text: error instanceof Error ? `${error.message}: ${String(error.cause)}` : String(error),
      retry_after: null,
      ms: performance.now() - start,
    };
  }
}

function answerOf(text: string): string {
  return (JSON.parse(text) as { answer?: string }).answer ?? text;
}

async function metric({ url }: Pick<BareWorker, 'url'>, sample: string): Promise<number> {
  const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
  return Number(lines.find((line) => line.startsWith(`${sample} `))?.slice(sample.length) ?? 0);
}
