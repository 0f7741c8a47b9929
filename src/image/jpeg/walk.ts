import type { Frame } from './markers.ts';
import type { Scan, ScanComponent } from './scans.ts';

/** Reads one block of a scan into the coefficients of its component. */
export interface BlockDecoder {
  /** @param blockRow, blockColumn in the component; past its edge for blocks that only fill up an MCU. */
  block(part: ScanComponent, blockRow: number, blockColumn: number): void;
  /** Forgets what one restart interval may not hand to the next. */
  reset(): void;
}

/** Goes through the blocks of a scan in the order of the file, the rows of one MCU row at a time. */
export function createWalk(scan: Scan, frame: Frame, decoder: BlockDecoder): (mcuRow: number) => void {
  let untilRestart = scan.restartInterval;
  let restarts = 0;
  const restartIfDue = (): void => {
    if (scan.restartInterval === 0) return;
    if (untilRestart === 0) {
      scan.bits.restart(restarts++ % 8);
      decoder.reset();
      untilRestart = scan.restartInterval;
    }
    untilRestart--;
  };

  const [only, ...others] = scan.components;
  if (only && others.length === 0) {
    // A scan of one component has no MCUs: its blocks come row by row, and none only to fill up.
    const { v, blockRows, blocksPerLine } = only.component;
    return (mcuRow) => {
      for (let row = mcuRow * v; row < Math.min((mcuRow + 1) * v, blockRows); row++) {
        for (let column = 0; column < blocksPerLine; column++) {
          restartIfDue();
          decoder.block(only, row, column);
        }
      }
    };
  }
  return (mcuRow) => {
    for (let mcu = 0; mcu < frame.mcusPerLine; mcu++) {
      restartIfDue();
      for (const part of scan.components) {
        const { h, v } = part.component;
        for (let row = 0; row < v; row++) {
          for (let column = 0; column < h; column++) {
            decoder.block(part, mcuRow * v + row, mcu * h + column);
          }
        }
      }
    }
  };
}
