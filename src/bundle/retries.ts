import pRetry from 'p-retry';
import { withTimeLimit } from '../time-limit.ts';

/** How long a file is tried for. Times in milliseconds. */
export interface Retries {
  /** After the first attempt. */
  readonly retries: number;
  /** Before the first retry: one to two times this, by chance, and twice as long before each one after it. */
  readonly backoff: number;
  /** Of one attempt. */
  readonly attempt: number;
  /** Of all attempts and what lies between them. */
  readonly total: number;
}

/**
 * Of each file: a load of many is never cut short while they come. All of it must stay well under the 30 s for
 * which a Worker's work outlives its client.
 */
export const DEFAULT_RETRIES: Retries = { retries: 2, backoff: 100, attempt: 5_000, total: 9_000 };

/** @throws what the last attempt throws; a DOMException TimeoutError; the reason of `caller` */
export function withRetries<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  limits: Retries,
  caller?: AbortSignal,
): Promise<T> {
  const { retries, backoff: minTimeout } = limits;
  return withTimeLimit(
    (signal) =>
      pRetry(() => withTimeLimit(attempt, limits.attempt, signal), {
        ...{ retries, minTimeout, factor: 2, randomize: true },
        signal,
      }),
    limits.total,
    caller,
  );
}
