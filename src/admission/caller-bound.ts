import { GlimpseError } from '../errors.ts';
import type { Permit } from './budget.ts';

/** Of one API key in one isolate: the queues are for all callers, and no one caller may fill them. */
const AT_ONCE = 32;

export interface CallerBound {
  /** @throws GlimpseError too_many_requests while as many of the caller's requests are being answered */
  enter(caller: string): Permit;
}

export function createCallerBound(at_once = AT_ONCE): CallerBound {
  const counts = new Map<string, number>();
  return {
    enter(caller) {
      const count = counts.get(caller) ?? 0;
      if (count >= at_once) {
        throw new GlimpseError(
          'too_many_requests',
          `Of one API key ${at_once} requests are answered at once: send the next when one has ended.`,
        );
      }
      counts.set(caller, count + 1);
      let inside = true;
      return {
        release() {
          if (!inside) return;
          inside = false;
          const left = (counts.get(caller) ?? 1) - 1;
          if (left > 0) counts.set(caller, left);
          else counts.delete(caller);
        },
      };
    },
  };
}
