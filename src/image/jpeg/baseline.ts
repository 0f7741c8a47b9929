import { invalidImage } from '../errors.ts';
import type { BitReader, HuffmanTable } from './huffman.ts';
import type { Frame } from './markers.ts';
import type { Jpeg } from './scans.ts';
import { createWalk } from './walk.ts';

/** Quantised coefficients of some block rows of one component, each block in zigzag order. */
export type Coefficients = Int16Array; // [blockRows, blocksPerLine, 64]

/** Gives the coefficients of `count` MCU rows from `first`, for each component. */
export type CoefficientRows = (first: number, count: number) => readonly Coefficients[];

/**
 * Reads a sequential JPEG from top to bottom, so that only the rows at hand are held. Components may
 * come interleaved in one scan or in scans of their own; the scans are read side by side.
 */
export function readBaseline({ frame, scans }: Jpeg, rowsHeld: number): CoefficientRows {
  const held = frame.components.map(
    ({ v, blocksPerLine }) => new Int16Array(rowsHeld * v * blocksPerLine * 64),
  );
  const read = scans.flatMap(({ components }) => components.map(({ index }) => index));
  if (read.length !== frame.components.length || new Set(read).size !== read.length) {
    throw invalidImage('The JPEG does not have each of its components once.');
  }
  const fillers = new Int16Array(64);
  let firstRow = 0;

  const walks = scans.map((scan) => {
    const predictions = new Int32Array(frame.components.length);
    return createWalk(scan, frame, {
      block({ index, component, dc, ac }, blockRow, blockColumn) {
        if (!dc || !ac) throw invalidImage('The JPEG lacks a Huffman table that it uses.');
        const row = blockRow - firstRow * component.v;
        const isFiller = blockColumn >= component.blocksPerLine;
        const to = isFiller ? fillers : held[index];
        const at = isFiller ? 0 : (row * component.blocksPerLine + blockColumn) * 64;
        if (to) predictions[index] = readBlock(scan.bits, dc, ac, predictions[index] ?? 0, to, at);
      },
      reset: () => predictions.fill(0),
    });
  });

  return (first, count) => {
    firstRow = first;
    for (const coefficients of held) coefficients.fill(0);
    for (const walk of walks) {
      for (let mcuRow = first; mcuRow < first + count; mcuRow++) walk(mcuRow);
    }
    return held;
  };
}

/** T.81, F.2.2. @returns the block's DC value, which predicts the next one's. */
function readBlock(
  bits: BitReader,
  dc: HuffmanTable,
  ac: HuffmanTable,
  prediction: number,
  out: Int16Array,
  at: number,
): number {
  const category = bits.readSymbol(dc);
  if (category > 11) throw invalidImage('The JPEG data is damaged (an impossible DC value).');
  const value = prediction + bits.readSigned(category);
  out[at] = value;
  for (let k = 1; k < 64; k++) {
    const symbol = bits.readSymbol(ac);
    const size = symbol & 15;
    if (size === 0) {
      if (symbol !== 0xf0) break;
      k += 15;
      continue;
    }
    k += symbol >> 4;
    if (k > 63) throw invalidImage('The JPEG data is damaged (a block has more than 64 values).');
    out[at + k] = bits.readSigned(size);
  }
  return value;
}

/** MCU rows that make a band of about `pixels`. */
export const mcuRowsPerBand = ({ width, maxV }: Frame, pixels: number): number =>
  Math.max(1, Math.floor(pixels / (width * 8 * maxV)));
