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

/** What work is that has not ended in time: its context may be gone, and then it never ends. */
export const LOST = Symbol('the context that did the work is gone');

/** What `work` gives, or LOST where it takes longer than `patience` milliseconds. It is not disturbed. */
export async function withPatience<T>(work: Promise<T>, patience: number): Promise<T | typeof LOST> {
  const { promise, resolve } = Promise.withResolvers<typeof LOST>();
  const timer = setTimeout(resolve, patience, LOST);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}
