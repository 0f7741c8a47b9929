import { GlimpseError } from '../errors.ts';
import type { RequestContext } from '../pipeline/request-context.ts';

export interface BudgetOptions {
  /** What all who hold something may hold together, in whatever unit they ask for. */
  readonly capacity: number;
  /** How many may wait. */
  readonly max_waiting: number;
  /** How long one may wait, in milliseconds. */
  readonly max_wait: number;
}

export interface Permit {
  /** Gives all of it back. A second time is none. */
  release(): void;
}

/** Whoever waits, and how he is told that his time has come or that he has left. */
export type Applicant = Pick<RequestContext, 'signal' | 'waitUntil'>;

export interface Budget {
  readonly held: number;
  readonly waiting: number;
  /**
   * Waits until so much is free. First come, first served. Who asks for more than the capacity gets all of it.
   * @throws GlimpseError overloaded if too many wait or it takes too long; `signal.reason` to who has left
   */
  acquire(amount: number, applicant: Applicant): Promise<Permit>;
}

/**
 * The longest that something is held, in milliseconds. In workerd a request that was ended (its CPU time
 * ran out) runs no `finally`: what it held is free after that.
 */
const MAX_HOLD = 120_000;

/**
 * A semaphore with weights. Whoever waits is woken in the context of another request, which workerd
 * allows (see cache/single-flight.ts); his promise is handed to his own `waitUntil`, so that he is still
 * there to be woken when his client has left, and gives back what he was given.
 */
export function createBudget({ capacity, max_waiting, max_wait }: BudgetOptions): Budget {
  const permits = new Set<{ readonly amount: number; readonly until: number }>();
  const queue = new Set<{ readonly amount: number; readonly admit: (permit: Permit) => void }>();

  const held = (): number => [...permits].reduce((sum, { amount }) => sum + amount, 0);
  const fits = (amount: number): boolean => held() + amount <= capacity;

  function take(amount: number): Permit {
    const permit = { amount, until: Date.now() + MAX_HOLD };
    permits.add(permit);
    return {
      release() {
        if (permits.delete(permit)) admitNext();
      },
    };
  }

  function admitNext(): void {
    for (const next of queue) {
      if (!fits(next.amount)) return;
      queue.delete(next);
      next.admit(take(next.amount));
    }
  }

  function forgetTheLost(): void {
    const now = Date.now();
    for (const permit of permits) if (permit.until < now) permits.delete(permit);
    admitNext();
  }

  function wait(amount: number, { signal, waitUntil }: Applicant): Promise<Permit> {
    const { promise, resolve: admit, reject } = Promise.withResolvers<Permit>();
    const place = { amount, admit };
    const leave = (reason: unknown): void => {
      if (!queue.delete(place)) return;
      reject(reason);
      admitNext(); // who stood behind may fit
    };
    const abort = (): void => leave(signal.reason);
    const timer = setTimeout(() => leave(overloaded()), max_wait);
    signal.addEventListener('abort', abort, { once: true });
    queue.add(place);
    const waited = promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    });
    waitUntil(waited.catch(() => undefined));
    return waited;
  }

  return {
    get held() {
      return held();
    },
    get waiting() {
      return queue.size;
    },
    async acquire(wanted, applicant) {
      applicant.signal.throwIfAborted();
      forgetTheLost();
      const amount = Math.min(wanted, capacity);
      if (queue.size === 0 && fits(amount)) return take(amount);
      if (queue.size >= max_waiting) throw overloaded();
      return wait(amount, applicant);
    },
  };
}

function overloaded(): GlimpseError {
  return new GlimpseError('overloaded', 'The server is busy with other requests: try again shortly.');
}

/** Runs `work` with a permit, which is given back however it ends. */
export async function holding<T>(permit: Permit, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    permit.release();
  }
}
