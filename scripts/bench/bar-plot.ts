import { escaped, fixed, text } from '../cli/svg.ts';
import type { Spread } from './harness.ts';

export interface Bar {
  readonly ratio: Spread;
  readonly color: string;
}

export interface BarPlot {
  readonly title: string;
  readonly legend: readonly { readonly name: string; readonly color: string }[];
  readonly groups: readonly { readonly title: string; readonly bars: readonly Bar[] }[];
}

const [LEFT, WIDTH, ROW, GAP] = [190, 900, 13, 12] as const;
/** What is less is drawn as this; the number beside it tells. */
const LEAST = 0.2;
const DECADES = [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200] as const;

/** Ratios: medians as bars on a logarithmic axis, quartiles as whiskers. */
export function barPlot({ title, legend, groups }: BarPlot): string {
  const top = 64;
  let y = top;
  const body = groups.map(({ title, bars }) => {
    const from = y;
    y += bars.length * ROW + GAP;
    const middle = from + (bars.length * ROW) / 2 + 4;
    return text(LEFT - 8, middle, title, 'end') + bars.map((bar, i) => drawn(bar, from + i * ROW)).join('');
  });
  const axis = DECADES.map((ratio) => {
    const stroke = ratio === 1 ? '#222' : '#ddd';
    return `<path d="M${x(ratio)} ${top - 6}V${y}" stroke="${stroke}"/>${text(x(ratio), top - 10, `${ratio}x`, 'middle')}`;
  });
  const names = legend.map(({ name, color }, i) => {
    const at = LEFT + 215 * i;
    return `<rect x="${at}" y="26" width="10" height="10" fill="${color}"/>${text(at + 15, 35, name, 'start')}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 8}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="8" y="16" font-size="13" font-weight="bold">${escaped(title)}</text>`,
    ...[...names, ...axis, ...body, '</svg>', ''],
  ].join('\n');
}

function drawn({ ratio: { q1, median, q3 }, color }: Bar, y: number): string {
  const [from, to] = [Math.min(x(1), x(median)), Math.max(x(1), x(median))];
  const middle = y + ROW / 2 - 1;
  return (
    `<rect x="${from}" y="${y}" width="${fixed(to - from)}" height="${ROW - 2}" fill="${color}"/>` +
    `<path d="M${x(q1)} ${middle}H${x(q3)}M${x(q1)} ${middle - 3}v6M${x(q3)} ${middle - 3}v6" stroke="#222"/>` +
    text(Math.max(to, x(q3)) + 5, y + ROW - 3, `${Number(median.toPrecision(3))}`, 'start')
  );
}

function x(ratio: number): number {
  const [low, high] = [Math.log(LEAST), Math.log(400)];
  const place = (Math.log(Math.max(ratio, LEAST)) - low) / (high - low);
  return fixed(LEFT + place * (WIDTH - LEFT - 40));
}
