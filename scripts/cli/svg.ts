/** What plots are drawn with. */

export const fixed = (value: number): number => Number(value.toFixed(1));
export const escaped = (value: string): string => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

export function text(x: number, y: number, value: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x}" y="${fixed(y)}" text-anchor="${anchor}" fill="#222">${escaped(value)}</text>`;
}
