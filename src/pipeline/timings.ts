/**
 * Measures a request by stage, in milliseconds. In Cloudflare's network a Worker's clock moves only
 * with I/O, so a stage that only computes may read 0 there; run locally, the figures are real.
 */
export interface Stopwatch {
  /** Runs a stage. A stage that runs twice is added up; stages do not nest. */
  readonly time: <T>(stage: string, work: () => Promise<T>) => Promise<T>;
  /** The stages so far and `total`. */
  timings(): Readonly<Record<string, number>>;
}

/** @param onStage hears of every stage when it ends */
export function createStopwatch(onStage: (stage: string, milliseconds: number) => void): Stopwatch {
  const start = performance.now();
  const stages = new Map<string, number>();
  const rounded = (milliseconds: number): number => Math.round(milliseconds * 100) / 100;
  return {
    async time(stage, work) {
      const from = performance.now();
      try {
        return await work();
      } finally {
        const milliseconds = performance.now() - from;
        stages.set(stage, (stages.get(stage) ?? 0) + milliseconds);
        onStage(stage, milliseconds);
      }
    },
    timings() {
      const entries = [...stages, ['total', performance.now() - start] as const];
      return Object.fromEntries(entries.map(([stage, milliseconds]) => [stage, rounded(milliseconds)]));
    },
  };
}
