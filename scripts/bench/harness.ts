/** One rival in a race. */
export interface Contestant {
  readonly name: string;
  /** Does the work once; a promise is waited for. */
  readonly run: () => unknown;
}

/** Milliseconds by contestant, one figure a round, rounds in the same order for all. */
export type Times = Readonly<Record<string, readonly number[]>>;

export interface RaceOptions {
  readonly rounds: number;
  /** Each contestant repeats its work in each round for about this long; the fastest time counts. */
  readonly slot_ms: number;
}

/**
 * Times rivals in turns, each round beginning with another, so that what else the machine does falls on
 * all of them alike. Compare within rounds: `ratio`.
 */
export async function race(
  contestants: readonly Contestant[],
  { rounds, slot_ms }: RaceOptions,
): Promise<Times> {
  const times = Object.fromEntries(contestants.map(({ name }) => [name, [] as number[]]));
  for (const contestant of contestants) await fastest(contestant, 2 * slot_ms); // compiles and warms up
  for (let round = 0; round < rounds; round++) {
    const first = round % contestants.length;
    for (const contestant of [...contestants.slice(first), ...contestants.slice(0, first)]) {
      times[contestant.name]?.push(await fastest(contestant, slot_ms));
    }
  }
  return times;
}

/** So that one call that another process interrupts is not a round's only one. */
const LEAST_CALLS = 3;

async function fastest({ run }: Contestant, slot_ms: number): Promise<number> {
  let best = Infinity;
  const end = performance.now() + slot_ms;
  for (let calls = 0; calls < LEAST_CALLS || performance.now() < end; calls++) {
    const start = performance.now();
    const pending = run();
    if (pending instanceof Promise) await pending;
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

export interface Spread {
  readonly min: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly max: number;
  readonly n: number;
}

/** Quartiles by linear interpolation between order statistics. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const quantile = (p: number): number => {
    const at = p * (sorted.length - 1);
    const [low, high] = [sorted[Math.floor(at)] ?? NaN, sorted[Math.ceil(at)] ?? NaN];
    return low + (high - low) * (at % 1);
  };
  return {
    ...{ min: quantile(0), q1: quantile(0.25), median: quantile(0.5), q3: quantile(0.75), max: quantile(1) },
    n: sorted.length,
  };
}

/** How many times as long the rival takes as we do, round by round. */
export function ratio(rival: readonly number[] = [], ours: readonly number[] = []): Spread {
  return spread(rival.map((time, round) => time / (ours[round] ?? NaN)));
}

/** The better of several forms of one rival, round by round. */
export function best(times: Times, names: readonly string[]): readonly number[] {
  const [first = [], ...others] = names.map((name) => times[name] ?? []);
  return first.map((time, round) => Math.min(time, ...others.map((other) => other[round] ?? Infinity)));
}
