/**
 * Lets timers, I/O and other requests run before the caller goes on. Long work awaits this between
 * its steps: counting steps and not milliseconds, as a Worker's clock stands still while it computes.
 */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    // Only Node, and workerd with nodejs_compat, have setImmediate, which waits no millisecond.
    if (typeof globalThis.setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
