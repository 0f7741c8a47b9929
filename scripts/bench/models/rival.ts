/** One greedy answer to the benchmark's prompt. Milliseconds count from the image's encoded bytes. */
export interface TimedAnswer {
  readonly first_token_ms: number;
  readonly last_token_ms: number;
  /** Passes of the decoder between the two, and one. */
  readonly tokens: number;
  readonly answer: string;
}

/** An engine with a model loaded, or about to load it at its first answer. */
export interface Rival {
  readonly ask: (image: Uint8Array<ArrayBuffer>) => Promise<TimedAnswer>;
}

/** Of the tokens behind the first. */
export function tokensPerSecond({ first_token_ms, last_token_ms, tokens }: TimedAnswer): number {
  return (1000 * (tokens - 1)) / (last_token_ms - first_token_ms);
}

/** An answer whose engine told of every token. @param moments by `performance.now` */
export function timedBy(start: number, moments: readonly number[], answer: string): TimedAnswer {
  return {
    first_token_ms: (moments[0] ?? NaN) - start,
    last_token_ms: (moments.at(-1) ?? NaN) - start,
    tokens: moments.length,
    answer,
  };
}
