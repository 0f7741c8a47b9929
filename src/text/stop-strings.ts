/** Cuts a stream of text before the first stop string, wherever the pieces' borders fall. */
export interface StopStrings {
  /** Text that no stop string can begin in any more; `stopped` when one is complete. */
  push(text: string): { readonly text: string; readonly stopped: boolean };
  /** What was held back, at the stream's end without a stop string. */
  flush(): string;
}

/** @param stopStrings non-empty strings */
export function createStopStrings(stopStrings: readonly string[]): StopStrings {
  let held = '';
  return {
    push(text) {
      const seen = held + text;
      const stop = firstComplete(seen, stopStrings);
      if (stop !== undefined) {
        held = '';
        return { text: seen.slice(0, stop), stopped: true };
      }
      const kept = longestBeginning(seen, stopStrings);
      held = seen.slice(seen.length - kept);
      return { text: seen.slice(0, seen.length - kept), stopped: false };
    },
    flush() {
      const text = held;
      held = '';
      return text;
    },
  };
}

/** Where the stop string begins that is complete first: not the leftmost, so that pieces do not matter. */
function firstComplete(text: string, stopStrings: readonly string[]): number | undefined {
  return stopStrings
    .map((stop) => ({ start: text.indexOf(stop), length: stop.length }))
    .filter(({ start }) => start >= 0)
    .toSorted((a, b) => a.start + a.length - (b.start + b.length) || a.start - b.start)[0]?.start;
}

/** The length of the longest end of the text with which a stop string begins. */
function longestBeginning(text: string, stopStrings: readonly string[]): number {
  const longest = Math.max(0, ...stopStrings.map((stop) => stop.length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(text.length - length);
    if (stopStrings.some((stop) => stop.startsWith(end))) return length;
  }
  return 0;
}
