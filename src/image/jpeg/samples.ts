import type { Coefficients } from './baseline.ts';
import { inverseDct } from './inverse-dct.ts';

/** The samples of some block rows of one component. */
export interface Plane {
  readonly data: Uint8Array; // [rows, stride]
  readonly stride: number;
}

/** The place of the coefficients of a zigzag in their block, row by row (T.81, figure 5). */
const ZIGZAG = Uint8Array.from(
  Array.from({ length: 64 }, (_, place) => place).sort((a, b) => {
    const [diagonalA, diagonalB] = [(a >> 3) + (a & 7), (b >> 3) + (b & 7)];
    if (diagonalA !== diagonalB) return diagonalA - diagonalB;
    return diagonalA % 2 === 0 ? b - a : a - b; // up on even diagonals, down on odd ones
  }),
);

/** Dequantises and transforms blocks into `data`. `quantization` stands in zigzag order too. */
export function toSamples(
  coefficients: Coefficients, // [blockRows, blocksPerLine, 64]
  blocksPerLine: number,
  blockRows: number,
  quantization: Uint16Array,
  data: Uint8Array, // [>= blockRows * 8, blocksPerLine * 8]
): Plane {
  const stride = blocksPerLine * 8;
  const block = new Int32Array(64);
  for (let row = 0; row < blockRows; row++) {
    for (let column = 0; column < blocksPerLine; column++) {
      const from = (row * blocksPerLine + column) * 64;
      for (let k = 0; k < 64; k++) {
        block[ZIGZAG[k] ?? 0] = Math.imul(coefficients[from + k] ?? 0, quantization[k] ?? 0);
      }
      inverseDct(block, data, row * 8 * stride + column * 8, stride);
    }
  }
  return { data, stride };
}
