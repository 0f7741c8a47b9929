import { LOST, withPatience } from '../time-limit.ts';

/** A value made once, when first asked for. A failure is not kept: the next call tries again. */
export interface Lazy<T> {
  readonly ready: boolean;
  get(): Promise<T>;
}

// In milliseconds, over the time limits of whatever is made here. In workerd what is made lives in the
// context of the request that asked first, and is lost without a word when that ends (single-flight.ts).
const PATIENCE = 30_000;

export function lazy<T>(make: () => Promise<T>): Lazy<T> {
  let making: Promise<T> | undefined;
  let ready = false;

  function begin(): Promise<T> {
    const begun = make().then(
      (value) => {
        ready = true;
        return value;
      },
      (error: unknown) => {
        forget(begun);
        throw error;
      },
    );
    return begun;
  }

  function forget(begun: Promise<T>): void {
    if (making === begun) making = undefined;
  }

  return {
    get ready() {
      return ready;
    },
    async get() {
      for (;;) {
        const begun = (making ??= begin());
        const outcome = await withPatience(begun, PATIENCE);
        if (outcome !== LOST) return outcome;
        forget(begun);
      }
    },
  };
}
