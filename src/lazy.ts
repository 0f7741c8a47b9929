import { LOST, sharedWork, withPatience, type SharedWork } from './time-limit.ts';

/** A value made once, when first asked for. A failure is not kept: the next call tries again. */
export interface Lazy<T> {
  readonly ready: boolean;
  get(): Promise<T>;
}

/**
 * In workerd what is made lives in the context of the request that asked first, and is lost without a word when
 * that ends (single-flight.ts): then one of those who wait makes it anew. It may take as long as it takes: each
 * file that it fetches has a time limit of its own (bundle/retries.ts).
 */
export function lazy<T>(make: () => Promise<T>): Lazy<T> {
  let making: SharedWork<T> | undefined;
  let ready = false;

  function begin(): SharedWork<T> {
    const made = make().then(
      (value) => {
        ready = true;
        return value;
      },
      (error: unknown) => {
        forget(begun);
        throw error;
      },
    );
    const begun = sharedWork(made);
    return begun;
  }

  function forget(begun: SharedWork<T>): void {
    if (making === begun) making = undefined;
  }

  return {
    get ready() {
      return ready;
    },
    async get() {
      for (;;) {
        const begun = (making ??= begin());
        const outcome = await withPatience(begun);
        if (outcome !== LOST) return outcome;
        forget(begun);
      }
    },
  };
}
