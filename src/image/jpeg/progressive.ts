import { invalidImage } from '../errors.ts';
import type { Pause } from '../picture.ts';
import type { Coefficients, CoefficientRows } from './baseline.ts';
import type { BitReader, HuffmanTable } from './huffman.ts';
import type { Jpeg, Scan } from './scans.ts';
import { createWalk, type BlockDecoder } from './walk.ts';

/**
 * Reads a progressive JPEG. Every scan refines the whole picture, so all coefficients are held: two
 * bytes each. `pause` is awaited between rows, so that other work gets its turn.
 */
export async function readProgressive({ frame, scans }: Jpeg, pause: Pause): Promise<CoefficientRows> {
  const started = new Set<number>();
  for (const scan of scans) {
    checkScan(scan, started);
    if (scan.spectralStart === 0) for (const { index } of scan.components) started.add(index);
  }
  if (started.size !== frame.components.length) throw invalidImage('The JPEG lacks one of its components.');

  const all = frame.components.map(
    ({ blocksPerLine, blockRows }) => new Int16Array(blocksPerLine * blockRows * 64),
  );
  for (const scan of scans) {
    const walk = createWalk(
      scan,
      frame,
      scan.spectralStart === 0 ? dcDecoder(scan, all) : acDecoder(scan, all),
    );
    for (let mcuRow = 0; mcuRow < frame.mcuRows; mcuRow++) {
      walk(mcuRow);
      await pause(frame.width * 2);
    }
  }
  return (first, count) =>
    all.map((coefficients, i) => {
      const { v = 1, blocksPerLine = 0 } = frame.components[i] ?? {};
      return coefficients.subarray(first * v * blocksPerLine * 64, (first + count) * v * blocksPerLine * 64);
    });
}

/** T.81, G.1.1.1: DC alone, or AC of one component; a refinement adds one bit. */
function checkScan(scan: Scan, started: ReadonlySet<number>): void {
  const { spectralStart: from, spectralEnd: to, approximationHigh: high, approximationLow: low } = scan;
  const isDc = from === 0;
  const validBand = isDc ? to === 0 : to >= from && to <= 63 && scan.components.length === 1;
  const validBits = low <= 10 && (high === 0 || high === low + 1);
  const inOrder = isDc || scan.components.every(({ index }) => started.has(index));
  const needed = isDc ? high === 0 : true;
  const hasTables = !needed || scan.components.every(({ dc, ac }) => (isDc ? dc : ac));
  if (!validBand || !validBits || !inOrder || !hasTables) {
    throw invalidImage('The JPEG has a progressive scan that cannot be.');
  }
}

function dcDecoder(
  { bits, approximationHigh, approximationLow }: Scan,
  all: readonly Coefficients[],
): BlockDecoder {
  const predictions = new Int32Array(all.length);
  return {
    block({ index, component, dc }, blockRow, blockColumn) {
      const out = all[index];
      const isFiller = blockColumn >= component.blocksPerLine || blockRow >= component.blockRows;
      const at = (blockRow * component.blocksPerLine + blockColumn) * 64;
      if (approximationHigh > 0) {
        const bit = bits.read(1) << approximationLow;
        if (out && !isFiller) out[at] = (out[at] ?? 0) | bit;
        return;
      }
      if (!dc || !out) return;
      const category = bits.readSymbol(dc);
      if (category > 11) throw invalidImage('The JPEG data is damaged (an impossible DC value).');
      const value = (predictions[index] ?? 0) + bits.readSigned(category);
      predictions[index] = value;
      if (!isFiller) out[at] = value << approximationLow;
    },
    reset: () => predictions.fill(0),
  };
}

function acDecoder(scan: Scan, all: readonly Coefficients[]): BlockDecoder {
  const { bits, spectralStart: from, spectralEnd: to, approximationHigh, approximationLow: shift } = scan;
  const refines = approximationHigh > 0;
  let endOfBands = 0; // blocks, this one included, that have nothing (more) in this band
  return {
    block({ index, component, ac }, blockRow, blockColumn) {
      const out = all[index];
      if (!out || !ac) return;
      const at = (blockRow * component.blocksPerLine + blockColumn) * 64;
      endOfBands = refines
        ? refine(bits, ac, out, at, from, to, shift, endOfBands)
        : readFirst(bits, ac, out, at, from, to, shift, endOfBands);
    },
    reset: () => (endOfBands = 0),
  };
}

/** T.81, G.1.2.2. @returns the blocks that the end-of-band run still covers. */
function readFirst(
  bits: BitReader,
  ac: HuffmanTable,
  out: Coefficients,
  at: number,
  from: number,
  to: number,
  shift: number,
  endOfBands: number,
): number {
  if (endOfBands > 0) return endOfBands - 1;
  for (let k = from; k <= to; k++) {
    const symbol = bits.readSymbol(ac);
    const size = symbol & 15;
    const run = symbol >> 4;
    if (size === 0 && run < 15) return (1 << run) + bits.read(run) - 1;
    k += run;
    if (size === 0) continue;
    if (k > to) throw invalidImage('The JPEG data is damaged (a block has too many values).');
    out[at + k] = bits.readSigned(size) << shift;
  }
  return 0;
}

/** T.81, G.1.2.3: a bit for each value that is known, and new values of one bit between them. */
function refine(
  bits: BitReader,
  ac: HuffmanTable,
  out: Coefficients,
  at: number,
  from: number,
  to: number,
  shift: number,
  endOfBands: number,
): number {
  const correct = (k: number, value: number): void => {
    if (bits.read(1) === 0 || (Math.abs(value) >> shift) % 2 === 1) return;
    out[at + k] = value + (value > 0 ? 1 << shift : -1 << shift);
  };
  let k = from;
  while (k <= to && endOfBands === 0) {
    const symbol = bits.readSymbol(ac);
    const size = symbol & 15;
    let run = symbol >> 4;
    if (size > 1) throw invalidImage('The JPEG data is damaged (a refinement of more than a bit).');
    if (size === 0 && run < 15) {
      endOfBands = (1 << run) + bits.read(run);
      break;
    }
    const added = size === 0 ? 0 : bits.read(1) === 1 ? 1 << shift : -1 << shift;
    for (; k <= to; k++) {
      const value = out[at + k] ?? 0;
      if (value !== 0) correct(k, value);
      else if (run-- === 0) break;
    }
    if (k > to && added !== 0) throw invalidImage('The JPEG data is damaged (a block has too many values).');
    if (added !== 0) out[at + k] = added;
    k++;
  }
  if (endOfBands === 0) return 0;
  for (; k <= to; k++) {
    const value = out[at + k] ?? 0;
    if (value !== 0) correct(k, value);
  }
  return endOfBands - 1;
}
