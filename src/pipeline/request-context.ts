/** The request on whose behalf a stage works. */
export interface RequestContext {
  /** Looked at between tokens; its end ends the work that is this request's alone. */
  readonly signal: AbortSignal;
  /** For what must outlive the request or need not delay it: `ctx.waitUntil` in a Worker. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
  /** Part of the cache's keys: what another caller has cached cannot be named without his. */
  readonly cache_salt?: string;
}

/**
 * Waits for work that other requests may be waiting for too. It lives in the context of the request
 * that began it, which therefore must not end before it (see cache/single-flight.ts).
 */
export function shared<T>({ waitUntil }: RequestContext, work: Promise<T>): Promise<T> {
  waitUntil(work.catch(() => undefined));
  return work;
}
