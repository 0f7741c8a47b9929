import { PATIENCE, sharedWork, withPatience, type SharedWork } from '../time-limit.ts';

/** Runs tasks one after the other, in the order in which they came. */
export type Mutex = <T>(task: () => Promise<T>) => Promise<T>;

/**
 * In workerd who waits needs a timer of his own: a request that waits for nothing but another request's
 * promise is at times taken for one that hangs, and is cancelled; nobody behind it would have had his turn
 * (seen under load, workerd 1.20261023.1). And if whoever has the turn is cancelled, it is over after `patience`.
 */
export function createMutex(patience = PATIENCE): Mutex {
  let last: SharedWork<unknown> = { result: Promise.resolve(), beats: 0 };
  return (task) => {
    const turn = withPatience(last, patience).then(task);
    last = sharedWork(
      turn.catch(() => undefined),
      patience,
    );
    return turn;
  };
}
