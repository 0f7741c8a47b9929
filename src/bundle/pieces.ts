/**
 * A file that cannot be cut where its format would have it, as a safetensors file can between its tensors:
 * larger than a shard, it lies in pieces, `<name>-00001-of-00003` and so on.
 */
const PIECE = /^(.+)-\d{5}-of-\d{5}$/;

/** @param index from 0 */
export function pieceName(name: string, index: number, count: number): string {
  const number = (n: number): string => String(n).padStart(5, '0');
  return `${name}-${number(index + 1)}-of-${number(count)}`;
}

/** The name of the file that a piece is of; any other name as it is. */
export function wholeName(name: string): string {
  return PIECE.exec(name)?.[1] ?? name;
}
