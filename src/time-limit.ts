/**
 * What `work` gives, which is left after `limit` milliseconds or when its caller leaves, whether or not it
 * listens to the signal that it gets.
 * @throws what `work` throws; a DOMException TimeoutError; the reason of `caller`
 */
export async function withTimeLimit<T>(
  work: (signal: AbortSignal) => Promise<T>,
  limit: number,
  caller?: AbortSignal,
): Promise<T> {
  caller?.throwIfAborted();
  const { promise: left, reject } = Promise.withResolvers<never>();
  const controller = new AbortController();
  const leave = (reason: unknown): void => {
    reject(reason);
    controller.abort(reason);
  };
  const follow = (): void => leave(caller?.reason);
  const timer = setTimeout(
    () => leave(new DOMException(`It took longer than ${limit} ms.`, 'TimeoutError')),
    limit,
  );
  caller?.addEventListener('abort', follow, { once: true });
  try {
    return await Promise.race([work(controller.signal), left]);
  } finally {
    clearTimeout(timer);
    caller?.removeEventListener('abort', follow);
  }
}

/**
 * Work that other requests wait for, with a beat from the context that does it. When workerd ends a context (its
 * client has left, its CPU time ran out), its promises never settle and its timers stop: the beat is how others
 * tell work that is slow, as a large model from a slow source, from work that never ends.
 */
export interface SharedWork<T> {
  readonly result: Promise<T>;
  /** Higher a few times in each patience, as long as the context lives and the work goes on. */
  readonly beats: number;
}

/** Milliseconds for which shared work may give no beat: over what an isolate computes without a pause. */
export const PATIENCE = 15_000;

const BEATS = 4; // in each patience

/** To be called in the context that does the work. */
export function sharedWork<T>(result: Promise<T>, patience = PATIENCE): SharedWork<T> {
  let beats = 0;
  const timer = setInterval(() => (beats += 1), patience / BEATS);
  return {
    result: result.finally(() => clearInterval(timer)),
    get beats() {
      return beats;
    },
  };
}

/** What shared work is whose context is gone. */
export const LOST = Symbol('the context that did the work is gone');

/** What the work gives, or LOST once it has given no beat for `patience` milliseconds. It is not disturbed. */
export async function withPatience<T>(work: SharedWork<T>, patience = PATIENCE): Promise<T | typeof LOST> {
  const { promise, resolve } = Promise.withResolvers<typeof LOST>();
  let heard = work.beats;
  const timer = setInterval(() => {
    if (work.beats === heard) resolve(LOST);
    heard = work.beats;
  }, patience);
  return Promise.race([work.result, promise]).finally(() => clearInterval(timer));
}
