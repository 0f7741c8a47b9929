import { vi } from 'vitest';

/** What `begin` begins, in a context that ends at once: it never settles, and its timers never fire. */
export function inLostContext(begin: (never: Promise<never>) => void): void {
  const timers = vi.spyOn(globalThis, 'setInterval').mockImplementation(() => setTimeout(() => undefined, 0));
  begin(new Promise<never>(() => undefined));
  timers.mockRestore();
}
