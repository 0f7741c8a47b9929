import type { Spread } from './harness.ts';

/** What tables are written with. */

export const digits = (value: number): string => String(Number(value.toPrecision(3)));
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`;

/** Median (quartiles; min to max). */
export function figures(spread: Spread | undefined, unit = ''): string {
  if (spread === undefined) return '';
  const { min, q1, median, q3, max } = spread;
  const [low, first, middle, third, high] = [min, q1, median, q3, max].map(digits);
  return `**${middle}${unit}** (${first}..${third}; ${low}..${high})`;
}

export const times = (ratio: Spread): string => figures(ratio, 'x');

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
