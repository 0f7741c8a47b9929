import { barPlot } from './bar-plot.ts';
import type { Results } from './report.ts';

const COLORS = { fp32: '#7a8ca3', int8: '#c98a2b', q4: '#a8435b' } as const;
const NAMES = {
  fp32: 'onnxruntime-web fp32',
  int8: 'onnxruntime-web int8',
  q4: 'onnxruntime-web MatMulNBits',
} as const;

/** How many times as long as ours the others take. */
export function plot({ kernels, vision, machine }: Results): string {
  const rivals = Object.keys(COLORS) as (keyof typeof COLORS)[];
  return barPlot({
    title: `Times as long as Glimpse's kernels (relaxed SIMD), one thread, Node ${machine.node}, ${machine.cpu}`,
    legend: rivals.map((rival) => ({ name: NAMES[rival], color: COLORS[rival] })),
    groups: [
      ...kernels.map(({ what, k, n, rows, ratios }) => ({
        title: `${what}, ${k}x${n}, ${rows} ${rows === 1 ? 'row' : 'rows'}`,
        bars: rivals.map((rival) => ({ ratio: ratios[rival], color: COLORS[rival] })),
      })),
      { title: 'vision, one image', bars: [{ ratio: vision.ratios.fp32, color: COLORS.fp32 }] },
    ],
  });
}
