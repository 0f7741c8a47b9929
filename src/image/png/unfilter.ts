import { invalidImage } from '../errors.ts';

/**
 * Undoes PNG's filters (PNG specification, 9.2), in place.
 * @param lines each a filter byte and `stride` filtered bytes. // [rows, 1 + stride]
 * @param above the unfiltered line before them; zeros before the first.
 * @param bytesPerPixel at least 1.
 * @returns the unfiltered lines, at the beginning of `lines`. // [rows, stride]
 */
export function unfilter(
  lines: Uint8Array,
  stride: number,
  bytesPerPixel: number,
  above: Uint8Array,
): Uint8Array {
  const rows = lines.length / (1 + stride);
  let up = above;
  for (let row = 0; row < rows; row++) {
    const at = row * (1 + stride);
    const filter = lines[at] ?? 0;
    lines.copyWithin(row * stride, at + 1, at + 1 + stride);
    const line = lines.subarray(row * stride, (row + 1) * stride);
    unfilterLine(filter, line, up, bytesPerPixel);
    up = line;
  }
  return lines.subarray(0, rows * stride);
}

function unfilterLine(filter: number, line: Uint8Array, up: Uint8Array, bpp: number): void {
  switch (filter) {
    case 0:
      return;
    case 1:
      for (let x = bpp; x < line.length; x++) line[x] = (line[x] ?? 0) + (line[x - bpp] ?? 0);
      return;
    case 2:
      for (let x = 0; x < line.length; x++) line[x] = (line[x] ?? 0) + (up[x] ?? 0);
      return;
    case 3:
      for (let x = 0; x < line.length; x++) {
        const left = x < bpp ? 0 : (line[x - bpp] ?? 0);
        line[x] = (line[x] ?? 0) + ((left + (up[x] ?? 0)) >> 1);
      }
      return;
    case 4:
      for (let x = 0; x < line.length; x++) {
        const left = x < bpp ? 0 : (line[x - bpp] ?? 0);
        const upLeft = x < bpp ? 0 : (up[x - bpp] ?? 0);
        line[x] = (line[x] ?? 0) + paeth(left, up[x] ?? 0, upLeft);
      }
      return;
    default:
      throw invalidImage('The PNG data is damaged (an unknown filter).');
  }
}

function paeth(left: number, up: number, upLeft: number): number {
  const byLeft = Math.abs(up - upLeft);
  const byUp = Math.abs(left - upLeft);
  const byUpLeft = Math.abs(left + up - 2 * upLeft);
  if (byLeft <= byUp && byLeft <= byUpLeft) return left;
  return byUp <= byUpLeft ? up : upLeft;
}
