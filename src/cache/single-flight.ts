import { LOST, PATIENCE, sharedWork, withPatience, type SharedWork } from '../time-limit.ts';

/** The request on whose behalf something is asked. */
export interface Caller {
  /** Its end is no end for the others who wait for the same work. */
  readonly signal: AbortSignal;
  /** Keeps the request's context alive until the promise settles: `ctx.waitUntil` in a Worker. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
}

export interface SingleFlight<Key, Value> {
  /**
   * @returns what `work` gives, which ran once for all who asked for `key` meanwhile.
   * @throws what `work` throws, to all of them, and forgets it; `signal.reason` to a caller who has left.
   */
  run(key: Key, work: () => Promise<Value>, caller: Caller): Promise<Value>;
}

/**
 * Requests of an isolate may await one promise (compatibility flag
 * handle_cross_request_promise_resolution, on at this project's date), but the work stays in the context
 * of the request that began it: when workerd ends that context, its promises never settle and whoever
 * awaits them hangs (measured for a client that leaves, workerd 1.20261023.1). So the work is handed to
 * `waitUntil`, which carries it past the client's leaving, and whoever has heard nothing of it for `patience`
 * milliseconds does it himself, in case the context ended all the same (its CPU time ran out).
 */
export function singleFlight<Key, Value>(patience = PATIENCE): SingleFlight<Key, Value> {
  const flights = new Map<Key, SharedWork<Value>>();

  function begin(key: Key, work: () => Promise<Value>): SharedWork<Value> {
    const flight = sharedWork(
      work().finally(() => forget(key, flight)),
      patience,
    );
    flights.set(key, flight);
    return flight;
  }

  function forget(key: Key, flight: SharedWork<Value>): void {
    if (flights.get(key) === flight) flights.delete(key);
  }

  return {
    async run(key, work, caller) {
      for (;;) {
        caller.signal.throwIfAborted();
        const running = flights.get(key);
        if (!running) {
          const { result } = begin(key, work);
          caller.waitUntil(result.catch(() => undefined)); // the failure is told by the line below
          return await withAbort(result, caller.signal);
        }
        const outcome = await withAbort(withPatience(running, patience), caller.signal);
        if (outcome !== LOST) return outcome;
        forget(key, running);
      }
    },
  };
}

async function withAbort<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', abort));
}
