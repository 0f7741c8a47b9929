/** A greedy continuation of a prompt of ids. */
export interface Continuation {
  /** The prompt and the choice behind it. */
  readonly first_token_ms: number;
  /** A pass of the decoder behind it, on average. */
  readonly token_ms: number;
  readonly ids: readonly number[];
}

/** A decoder alone, on one thread. */
export interface DecoderRival {
  continue(input_ids: readonly number[], count: number): Promise<Continuation>;
  /** What follows a prompt, but for a constant. // [vocab_size] */
  logits(input_ids: readonly number[]): Promise<Float32Array>;
  release(): Promise<void>;
}

/** @param step extends the sequence. @returns logits behind the last id */
export async function continueGreedily(
  input_ids: readonly number[],
  count: number,
  step: (ids: readonly number[]) => Promise<Float32Array>,
): Promise<Continuation> {
  const start = performance.now();
  const ids = [argmax(await step(input_ids))];
  const first = performance.now();
  while (ids.length < count) ids.push(argmax(await step(ids.slice(-1))));
  const token_ms = (performance.now() - first) / (count - 1);
  return { first_token_ms: first - start, token_ms, ids };
}

function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if ((logits[i] ?? 0) > (logits[best] ?? 0)) best = i;
  return best;
}
