import { ratio, spread, type Spread } from '../harness.ts';
import type { TimedAnswer } from './rival.ts';

export const MEASURES = ['new image', 'repeat', 'token', 'peak memory'] as const;
export type Measure = (typeof MEASURES)[number];

export interface RivalResult {
  /** First tokens and tokens in milliseconds, memory in bytes. */
  readonly figures: Readonly<Record<Measure, Spread>>;
  readonly tokens_per_second: Spread;
  /** Times as much as ours, round by round. */
  readonly ratios: Readonly<Record<Measure, Spread>>;
  readonly tokens: number;
  readonly answer: string;
}

export type Samples = Record<Measure, number[]>;

export function noSamples(): Samples {
  return { 'new image': [], repeat: [], token: [], 'peak memory': [] };
}

export function summary(rival: Samples, ours: Samples, { tokens, answer }: TimedAnswer): RivalResult {
  const byMeasure = (of: (measure: Measure) => Spread) =>
    Object.fromEntries(MEASURES.map((measure) => [measure, of(measure)])) as Record<Measure, Spread>;
  return {
    figures: byMeasure((measure) => spread(rival[measure])),
    tokens_per_second: spread(rival.token.map((ms) => 1000 / ms)),
    ratios: byMeasure((measure) => ratio(rival[measure], ours[measure])),
    tokens,
    answer,
  };
}
