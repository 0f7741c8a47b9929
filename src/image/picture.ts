import type { Orientation } from './orientation.ts';

/** A picture that is decoded a part at a time, so that never all of it is held. */
export interface Picture {
  readonly orientation: Orientation;
  /** Its rows in order, top to bottom as stored. */
  readonly bands: AsyncIterable<Band>;
}

/** Whole rows of a picture. Valid until the next band is asked for. */
export interface Band {
  readonly rgb: Uint8Array; // [rows, width, 3]
  readonly rows: number;
}

/** Awaited with the pixels that were worked on, so that other work gets its turn now and then. */
export type Pause = (pixels: number) => Promise<void>;
