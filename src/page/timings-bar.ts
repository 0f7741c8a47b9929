import type { AnswerBody } from '../routes/answer-body.ts';
import { element } from './dom.ts';

/** The server's stages in the order in which they run, as a visitor would name them. */
const STAGES: readonly (readonly [stage: string, words: string])[] = [
  ['load', 'loading weights'],
  ['hash', 'hash'],
  ['cache', 'cache'],
  ['image', 'decoding the photo'],
  ['vision', 'vision'],
  ['prefill', 'reading'],
  ['decode', 'answering'],
];

/** Shorter stages are told together. */
const WORTH_NAMING = 0.5; // milliseconds

/** What all answers tell of their time. */
export type Timed = Pick<AnswerBody, 'timings' | 'cache'>;

interface Slice {
  readonly stage: string;
  readonly words: string;
  readonly milliseconds: number;
}

/**
 * Where the time went: a bar, as long as this answer took against the slowest of its conversation, and
 * under it the same in words.
 */
export function timingsBar({ timings, cache }: Timed): HTMLElement {
  const slices = slicesOf(timings);
  const bar = element('div', 'bar', ...slices.map(segment));
  bar.setAttribute('aria-hidden', 'true'); // the legend says it
  const legend = element('ul', 'legend', ...slices.map(legendItem));
  if (cache === 'hit') {
    legend.append(element('li', 'skipped', element('span', 'dot hollow'), 'vision skipped'));
  }
  return element('div', 'timings', bar, legend);
}

/** Rounded for reading: 0.4, 12, 1,234. */
export function milliseconds(value: number): string {
  const digits = value < 10 ? 1 : 0;
  return `${value.toLocaleString('en', { maximumFractionDigits: digits })} ms`;
}

function slicesOf(timings: AnswerBody['timings']): readonly Slice[] {
  const named = STAGES.map(([stage, words]) => ({ stage, words, milliseconds: timings[stage] ?? 0 })).filter(
    (slice) => slice.milliseconds >= WORTH_NAMING,
  );
  const sum = named.reduce((total, slice) => total + slice.milliseconds, 0);
  const rest = { stage: 'rest', words: 'the rest', milliseconds: (timings.total ?? 0) - sum };
  return rest.milliseconds >= WORTH_NAMING ? [...named, rest] : named;
}

function segment({ stage, milliseconds: value }: Slice): HTMLElement {
  const made = element('span', `slice ${stage}`);
  made.style.setProperty('--ms', String(value)); // the style sheet divides it by the slowest
  return made;
}

function legendItem({ stage, words, milliseconds: value }: Slice): HTMLElement {
  const dot = element('span', `dot ${stage}`);
  return element('li', '', dot, `${words} ${milliseconds(value)}`);
}
