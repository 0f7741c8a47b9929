import { BitWriter } from './jpeg-bits.ts';

/** Quantised blocks of one component, each in zigzag order, with those that only fill up MCUs. */
export interface Blocks {
  readonly h: number;
  readonly v: number;
  readonly blocks: readonly (readonly Int16Array[])[]; // [rows, columns][64]
  /** Blocks that hold samples: a scan of one component has only these. */
  readonly rows: number;
  readonly columns: number;
}

export interface ScanScript {
  readonly components: readonly number[];
  readonly start: number;
  readonly end: number;
  readonly high: number;
  readonly low: number;
}

/** The entropy-coded data of one scan, with restart markers every `interval` MCUs where that is not 0. */
export function writeScan(
  all: readonly Blocks[],
  script: ScanScript,
  progressive: boolean,
  interval: number,
): Uint8Array {
  const bits = new BitWriter();
  const predictions = all.map(() => 0);
  const units = script.components.length === 1 ? singles(all, script.components[0] ?? 0) : mcus(all, script);
  units.forEach((unit, i) => {
    if (interval > 0 && i > 0 && i % interval === 0) {
      bits.restart((i / interval - 1) % 8);
      predictions.fill(0);
    }
    for (const { index, block } of unit) {
      const dc = (block[0] ?? 0) >> script.low;
      if (script.start === 0 && script.high === 0) {
        bits.value('dc', 0, dc - (predictions[index] ?? 0));
        predictions[index] = dc;
      } else if (script.start === 0) {
        bits.number(dc & 1, 1);
      }
      if (!progressive) writeAc(bits, block, 1, 63, 0);
      else if (script.start > 0 && script.high === 0) {
        writeAc(bits, block, script.start, script.end, script.low);
      } else if (script.start > 0) refineAc(bits, block, script.start, script.end, script.low);
    }
  });
  return bits.finish();
}

interface Member {
  readonly index: number;
  readonly block: Int16Array;
}

function singles(all: readonly Blocks[], index: number): readonly (readonly Member[])[] {
  const own = all[index];
  if (!own) return [];
  const { blocks, rows, columns } = own;
  return blocks.slice(0, rows).flatMap((row) => row.slice(0, columns).map((block) => [{ index, block }]));
}

function mcus(all: readonly Blocks[], { components }: ScanScript): readonly (readonly Member[])[] {
  const [first] = all;
  if (!first) return [];
  const { blocks, h, v } = first;
  const units: Member[][] = [];
  for (let row = 0; row < blocks.length / v; row++) {
    for (let column = 0; column < (blocks[0]?.length ?? 0) / h; column++) {
      units.push(
        components.flatMap((index) => {
          const own = all[index];
          if (!own) return [];
          return own.blocks
            .slice(row * own.v, (row + 1) * own.v)
            .flatMap((line) => line.slice(column * own.h, (column + 1) * own.h))
            .map((block) => ({ index, block }));
        }),
      );
    }
  }
  return units;
}

const shifted = (value: number, low: number): number => Math.sign(value) * (Math.abs(value) >> low);

function writeAc(bits: BitWriter, block: Int16Array, start: number, end: number, low: number): void {
  let run = 0;
  for (let k = start; k <= end; k++) {
    const value = shifted(block[k] ?? 0, low);
    if (value === 0) {
      run++;
      continue;
    }
    for (; run > 15; run -= 16) bits.symbol('ac', 0xf0);
    bits.value('ac', run, value);
    run = 0;
  }
  if (run > 0) bits.symbol('ac', 0);
}

/** T.81, G.1.2.3: new values of one bit, and a bit more of those that are known, after each code. */
function refineAc(bits: BitWriter, block: Int16Array, start: number, end: number, low: number): void {
  const at = (k: number): number => Math.abs(block[k] ?? 0) >> low;
  let lastNew = 0;
  for (let k = start; k <= end; k++) if (at(k) === 1) lastNew = k;
  let run = 0;
  let corrections = '';
  const flush = (): void => {
    bits.write(corrections);
    corrections = '';
  };
  for (let k = start; k <= end; k++) {
    if (at(k) === 0) {
      run++;
      continue;
    }
    for (; run > 15 && k <= lastNew; run -= 16) {
      bits.symbol('ac', 0xf0);
      flush();
    }
    if (at(k) > 1) {
      corrections += String(at(k) & 1);
      continue;
    }
    bits.symbol('ac', (run << 4) | 1);
    bits.number((block[k] ?? 0) > 0 ? 1 : 0, 1);
    flush();
    run = 0;
  }
  if (run > 0 || corrections) {
    bits.symbol('ac', 0);
    flush();
  }
}
