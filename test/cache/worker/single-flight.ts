import type { ExecutionContext } from '@cloudflare/workers-types';
import { singleFlight } from '../../../src/cache/single-flight.ts';

/**
 * `/<key>` answers how many times the work was begun for it. `?ticking` answers at once and ticks while it
 * works, since workerd learns that a client has left when it writes to him; `?forgetful` does without
 * waitUntil, so that the work dies with its context.
 */
const flights = singleFlight<string, number>(500); // milliseconds: half of what the work takes
const begun = new Map<string, number>();

export default {
  async fetch(request: Request, _bindings: object, context: ExecutionContext): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const waitUntil = searchParams.has('forgetful')
      ? () => undefined
      : (promise: Promise<unknown>) => context.waitUntil(promise);
    const outcome = flights.run(pathname, () => work(pathname), { signal: request.signal, waitUntil });
    return searchParams.has('ticking') ? tickingWhile(outcome) : Response.json(await outcome);
  },
};

async function work(key: string): Promise<number> {
  const times = (begun.get(key) ?? 0) + 1;
  begun.set(key, times);
  for (let step = 0; step < 10; step++) await pause(100);
  return times;
}

function tickingWhile(outcome: Promise<unknown>): Response {
  const tick = new TextEncoder().encode('tick\n');
  let working = true;
  const end = (): void => void (working = false);
  outcome.then(end, end);
  return new Response(
    new ReadableStream({
      async pull(controller) {
        await pause(20);
        if (working) controller.enqueue(tick);
        else controller.close();
      },
    }),
  );
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
