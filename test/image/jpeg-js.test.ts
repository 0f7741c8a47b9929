import { decode } from 'jpeg-js';
import { describe, expect, it } from 'vitest';
import { readBaseline } from '../../src/image/jpeg/baseline.ts';
import { readProgressive } from '../../src/image/jpeg/progressive.ts';
import { toSamples } from '../../src/image/jpeg/samples.ts';
import { readScans } from '../../src/image/jpeg/scans.ts';
import { photo, pictureOf } from './fixtures.ts';

/** The samples of one component, put together from bands of `perBand` MCU rows. */
async function inBands(file: Uint8Array, index: number, perBand: number): Promise<Uint8Array> {
  const jpeg = readScans(file);
  const { frame } = jpeg;
  const { v = 0, blocksPerLine = 0, blockRows = 0 } = frame.components[index] ?? {};
  const coefficients = frame.progressive
    ? await readProgressive(jpeg, () => Promise.resolve())
    : readBaseline(jpeg, perBand);
  const bands: Uint8Array[] = [];
  for (let first = 0; first < frame.mcuRows; first += perBand) {
    const count = Math.min(perBand, frame.mcuRows - first);
    const rows = Math.min(count * v, blockRows - first * v);
    const values = coefficients(first, count)[index] ?? new Int16Array();
    const table = jpeg.quantization[index] ?? new Uint16Array();
    const plane = new Uint8Array(rows * 8 * blocksPerLine * 8);
    bands.push(toSamples(values, blocksPerLine, rows, table, plane).data);
  }
  return Uint8Array.from(bands.flatMap((band) => [...band]));
}

describe('bands of a JPEG are what jpeg-js makes of the whole file, but for how it rounds', () => {
  const files: readonly (readonly [string, Uint8Array])[] = [
    ['a photo', photo('rocket.jpg')],
    ...[
      'jpeg baseline 4:2:0',
      'jpeg baseline 4:2:2',
      'jpeg baseline 4:4:4',
      'jpeg optimised tables',
      'jpeg quality 100',
      'jpeg quality 5',
      'jpeg restart every 2 MCUs',
      'jpeg progressive 4:2:0',
      'jpeg restart, progressive',
      'jpeg grey',
    ].map((name) => [name, pictureOf(name)] as const),
  ];

  it.each(files)('%s', async (_, file) => {
    // Without its colour transform jpeg-js gives each component, its samples repeated to full size.
    const whole = decode(file, { useTArray: true, formatAsRGBA: false, colorTransform: false });
    const { frame } = readScans(file);
    for (const perBand of [1, 3, frame.mcuRows]) {
      for (const [index, { h, v, blocksPerLine }] of frame.components.entries()) {
        const samples = await inBands(file, index, perBand);
        let [sum, most] = [0, 0];
        for (let y = 0; y < frame.height; y++) {
          for (let x = 0; x < frame.width; x++) {
            const own =
              Math.floor((y * v) / frame.maxV) * blocksPerLine * 8 + Math.floor((x * h) / frame.maxH);
            const theirs = whole.data[(y * frame.width + x) * 3 + index] ?? NaN;
            const difference = Math.abs((samples[own] ?? NaN) - theirs);
            sum += difference;
            most = Math.max(most, difference);
          }
        }
        expect(most, `component ${index}, ${perBand} MCU rows a band`).toBeLessThanOrEqual(3);
        expect(sum / (frame.width * frame.height)).toBeLessThan(0.5);
      }
    }
  });
});
