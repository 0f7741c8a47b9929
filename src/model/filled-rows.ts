/** The kernels take outputs in tiles of 8: as many rows as a layer of `rows` has when its last tile is filled up. */
export function filledRows(rows: number): number {
  return 8 * Math.ceil(rows / 8);
}

/** A layer's data of so many rows, zeros in those that its last tile lacks. */
export function withFilledRows(data: Uint8Array, rows: number): Uint8Array {
  const filled = filledRows(rows);
  if (filled === rows) return data;
  const all = new Uint8Array((data.length / rows) * filled);
  all.set(data);
  return all;
}
