import type { Band, Pause, Picture } from '../picture.ts';
import { mcuRowsPerBand, readBaseline, type CoefficientRows } from './baseline.ts';
import { toRgbOf } from './color.ts';
import { readProgressive } from './progressive.ts';
import { toSamples, type Plane } from './samples.ts';
import { readScans, type Jpeg } from './scans.ts';
import { upsamplerOf, type PlaneBand } from './upsample.ts';

const BAND_PIXELS = 1 << 16;

/**
 * Decodes a JPEG band by band. `pause` is awaited where the work is long.
 *
 * A JPEG that is cut short is refused: nothing is made up for what is missing. But a JPEG has no checksum:
 * one whose entropy-coded data was altered, and still reads as blocks of the right number, decodes to an
 * altered picture. What arrives as it was sent needs no checksum here; HTTP's connections have theirs.
 * @throws invalid_image where the file is seen to be damaged, or is cut short.
 */
export function decodeJpeg(bytes: Uint8Array, pause: Pause): Picture {
  const jpeg = readScans(bytes);
  return { orientation: jpeg.orientation, bands: decodeBands(jpeg, pause) };
}

async function* decodeBands(jpeg: Jpeg, pause: Pause): AsyncGenerator<Band> {
  const { frame } = jpeg;
  const perBand = mcuRowsPerBand(frame, BAND_PIXELS);
  const coefficients = frame.progressive ? await readProgressive(jpeg, pause) : readBaseline(jpeg, perBand);
  const toRgb = toRgbOf(jpeg);
  const upsamplers = frame.components.map((component) => upsamplerOf(component, frame));
  const lines = frame.components.map(() => new Uint8Array(frame.width + 8));
  const rgb = new Uint8Array(perBand * frame.maxV * 8 * frame.width * 3);

  const planesAt = createPlanes(jpeg, coefficients, perBand);

  let above: readonly (Uint8Array | null)[] = frame.components.map(() => null);
  let next = planesAt(0);
  for (let first = 0; first < frame.mcuRows; first += perBand) {
    const planes = next;
    next = first + perBand < frame.mcuRows ? planesAt(first + perBand) : [];
    const bands = frame.components.map(({ v, height }, i): PlaneBand => {
      const plane = planes[i] ?? EMPTY;
      return {
        plane,
        rows: Math.min(perBand * v * 8, height - first * v * 8),
        above: above[i] ?? null,
        below: next[i]?.data ?? null,
      };
    });
    const rows = Math.min(perBand * frame.maxV * 8, frame.height - first * frame.maxV * 8);
    for (let y = 0; y < rows; y++) {
      bands.forEach((band, i) => upsamplers[i]?.(band, y, lines[i] ?? EMPTY.data));
      toRgb(lines, rgb, y * frame.width * 3, frame.width);
    }
    yield { rgb, rows };
    await pause(rows * frame.width);
    above = bands.map(({ plane, rows: last }) => plane.data.subarray((last - 1) * plane.stride));
  }
}

const EMPTY: Plane = { data: new Uint8Array(0), stride: 0 };

/**
 * Gives the planes of the band that begins at an MCU row. Three bands are read at a time (a band's
 * neighbours smooth its edges), so three sets of planes take turns: planes of each band's own would leave
 * behind as many bytes as the picture has samples before they are collected.
 */
function createPlanes(
  { frame, quantization }: Jpeg,
  coefficients: CoefficientRows,
  perBand: number,
): (first: number) => readonly Plane[] {
  const sets = [0, 1, 2].map(() =>
    frame.components.map(({ v, blocksPerLine }) => new Uint8Array(perBand * v * 8 * blocksPerLine * 8)),
  );
  return (first) => {
    const count = Math.min(perBand, frame.mcuRows - first);
    const set = sets[(first / perBand) % sets.length] ?? [];
    return coefficients(first, count).map((values, i) => {
      const { v = 1, blocksPerLine = 0, blockRows = 0 } = frame.components[i] ?? {};
      const rows = Math.min(count * v, blockRows - first * v);
      const table = quantization[i] ?? new Uint16Array(64);
      return toSamples(values, blocksPerLine, rows, table, set[i] ?? EMPTY.data);
    });
  };
}
