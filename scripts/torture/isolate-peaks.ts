import { setTimeout as sleep } from 'node:timers/promises';
import { photo } from '../../test/workerd/worker.ts';
import { startBareWorker, type BareWorker } from './bare-worker.ts';

/** Bytes of an isolate at one time. */
export interface IsolateMemory {
  readonly wasm: number;
  /** Objects and array buffers. */
  readonly heap: number;
}

export interface Step {
  readonly name: string;
  readonly status: number;
  /** When both together were most. */
  readonly peak: IsolateMemory;
  /** What workerd's resident set grew by since before the first request, at most. */
  readonly resident: number;
}

/** What a user of one model asks, in this order. */
const STEPS = [
  { name: 'first request of a fresh isolate', image: 'astronaut.png', prompt: 'Describe the image.' },
  { name: 'question about the same image', image: 'astronaut.png', prompt: 'What color is the helmet?' },
  { name: 'a second image', image: 'rocket.jpg', prompt: 'Describe the image.' },
  { name: 'a third image', image: 'chelsea.png', prompt: 'Describe the image.' },
] as const;

export const MAX_NEW_TOKENS = 64;
const EVERY_MS = 10;

/**
 * What an isolate of its own takes for each of a row of requests.
 * @param bundles the folder that `bundle` lies in
 * @param collecting garbage is collected before each look, so that what is told is alive; else it counts too
 */
export async function isolatePeaks(
  bundles: string,
  bundle: string,
  collecting: boolean,
): Promise<readonly Step[]> {
  const worker = await startBareWorker({ BUNDLE: bundle }, bundles);
  try {
    await fetch(`${worker.url}/health`);
    const idle = worker.resident('VmRSS');
    const steps: Step[] = [];
    for (const { name, image, prompt } of STEPS) {
      const body = new FormData();
      body.set('image', new Blob([await photo(image)]));
      body.set('prompt', prompt);
      body.set('max_new_tokens', String(MAX_NEW_TOKENS));
      worker.resetPeak();
      const { peak, result: status } = await watched(worker, collecting, async () => {
        const response = await fetch(`${worker.url}/v1/query`, { method: 'POST', body });
        await response.text();
        return response.status;
      });
      steps.push({ name, status, peak, resident: worker.resident('VmHWM') - idle });
    }
    return steps;
  } finally {
    worker.close();
  }
}

async function watched<T>(
  worker: BareWorker,
  collecting: boolean,
  work: () => Promise<T>,
): Promise<{ readonly peak: IsolateMemory; readonly result: T }> {
  const ended = new AbortController();
  const watching = (async () => {
    let peak = { wasm: 0, heap: 0 };
    do {
      if (collecting) await worker.collect();
      const now = { heap: await worker.inspector.heapBytes(), wasm: await worker.wasmBytes() };
      if (now.heap + now.wasm > peak.heap + peak.wasm) peak = now;
      await sleep(EVERY_MS);
    } while (!ended.signal.aborted);
    return peak;
  })();
  const result = await work().finally(() => ended.abort());
  return { peak: await watching, result };
}
