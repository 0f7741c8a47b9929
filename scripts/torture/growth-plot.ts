import { escaped, fixed, text } from '../cli/svg.ts';
import type { MemorySample } from './growth.ts';

const [LEFT, TOP, WIDTH, HEIGHT] = [56, 44, 640, 260] as const;
const SERIES = [
  { name: 'process, resident', color: '#7a8ca3', value: ({ resident }: MemorySample) => resident },
  { name: 'isolate, alive', color: '#a8435b', value: ({ alive }: MemorySample) => alive },
] as const;
const MEGABYTE = 2 ** 20;
const STEP = 50; // MB between two lines of the grid

/** Memory over requests. */
export function growthPlot(samples: readonly MemorySample[]): string {
  const highest = Math.max(...samples.map(({ resident }) => resident)) / MEGABYTE;
  const top = STEP * Math.ceil(highest / STEP);
  const last = samples.at(-1)?.requests ?? 1;
  const x = (requests: number): number => fixed(LEFT + (requests / last) * WIDTH);
  const y = (megabytes: number): number => fixed(TOP + HEIGHT * (1 - megabytes / top));
  const grid = Array.from({ length: top / STEP + 1 }, (_, i) => i * STEP).map(
    (at) =>
      `<path d="M${LEFT} ${y(at)}h${WIDTH}" stroke="#ddd"/>${text(LEFT - 6, y(at) + 4, `${at} MB`, 'end')}`,
  );
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) =>
    text(x(part * last), TOP + HEIGHT + 16, String(Math.round(part * last)), 'middle'),
  );
  const lines = SERIES.map(({ name, color, value }, i) => {
    const points = samples.map((sample) => `${x(sample.requests)},${y(value(sample) / MEGABYTE)}`).join(' ');
    const at = LEFT + 180 * i;
    return (
      `<polyline points="${points}" fill="none" stroke="${color}" stroke-width="2"/>` +
      `<rect x="${at}" y="25" width="10" height="10" fill="${color}"/>${text(at + 15, 34, name, 'start')}`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 24} ${TOP + HEIGHT + 28}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="8" y="16" font-size="13" font-weight="bold">${escaped(`Memory of workerd over ${last} mixed requests`)}</text>`,
    ...[...grid, ...ticks, ...lines, '</svg>', ''],
  ].join('\n');
}
