import { withPatience } from '../time-limit.ts';

/** Runs tasks one after the other, in the order in which they came. */
export type Mutex = <T>(task: () => Promise<T>) => Promise<T>;

/** Milliseconds, over what any task takes that has not been lost. */
const PATIENCE = 30_000;

/**
 * In workerd who waits needs a timer of his own: a request that waits for nothing but another request's
 * promise is at times taken for one that hangs, and is cancelled; nobody behind it would have had his turn
 * (seen under load, workerd 1.20261023.1). And if whoever has the turn is cancelled, it is over after `patience`.
 */
export function createMutex(patience = PATIENCE): Mutex {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const turn = withPatience(last, patience).then(task);
    last = turn.catch(() => undefined);
    return turn;
  };
}
