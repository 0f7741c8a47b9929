/**
 * Inputs of a product that make up for each other; those of other groups are taken as independent of them. Larger
 * groups gain little, and cost memory as they grow: 256 take 514 bytes an input, all 12,288 of SmolVLM's connector
 * together would take 302 MB.
 */
export const GROUP = 256;

/** Second moments of a product's inputs, group by group: the lower triangle of X'X, row by row. */
export interface InputMoments {
  readonly in_features: number;
  /** Rows of inputs that were added. */
  rows: number;
  readonly sums: Float32Array;
}

/** A group's inputs, and where its triangle stands in the sums. */
export interface Group {
  readonly first: number;
  readonly size: number;
  readonly at: number;
}

export function groupsOf(in_features: number): readonly Group[] {
  return Array.from({ length: Math.ceil(in_features / GROUP) }, (_, i) => ({
    first: i * GROUP,
    size: Math.min(GROUP, in_features - i * GROUP),
    at: i * triangle(GROUP),
  }));
}

export function createMoments(in_features: number): InputMoments {
  const length = groupsOf(in_features).reduce((sum, { size }) => sum + triangle(size), 0);
  return { in_features, rows: 0, sums: new Float32Array(length) };
}

/** Entries of the first rows of a lower triangle. */
export function triangle(rows: number): number {
  return (rows * (rows + 1)) / 2;
}

/** Of rows that come together, as patches of one image do, every other: neighbours are alike. */
const EVERY = 2;
/** Rows that are summed before float32 rounds. */
const ROWS = 32;
/** A group's inputs, each one's rows together; three columns past its end, which are not read. */
const columns = new Float64Array((GROUP + 3) * ROWS);

/** @param x [rows, in_features] */
export function addInputs(moments: InputMoments, x: Float32Array, rows: number): void {
  for (let from = 0; from < rows; from += EVERY * ROWS) {
    const chosen = Math.ceil(Math.min(EVERY * ROWS, rows - from) / EVERY);
    for (const { first, size, at } of groupsOf(moments.in_features)) {
      for (let row = 0; row < chosen; row++) {
        const start = (from + row * EVERY) * moments.in_features + first;
        for (let i = 0; i < size; i++) columns[i * chosen + row] = x[start + i] ?? 0;
      }
      addProducts(moments.sums.subarray(at, at + triangle(size)), size, chosen);
    }
    moments.rows += chosen;
  }
}

/** Four columns at a time. */
function addProducts(sums: Float32Array, size: number, rows: number): void {
  for (let i = 0; i < size; i++) {
    const out = triangle(i);
    for (let j = 0; j <= i; j += 4) {
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      const at = j * rows;
      for (let row = 0; row < rows; row++) {
        const value = columns[i * rows + row] ?? 0;
        s0 += value * (columns[at + row] ?? 0);
        s1 += value * (columns[at + rows + row] ?? 0);
        s2 += value * (columns[at + 2 * rows + row] ?? 0);
        s3 += value * (columns[at + 3 * rows + row] ?? 0);
      }
      sums[out + j] = (sums[out + j] ?? 0) + s0;
      if (j + 1 <= i) sums[out + j + 1] = (sums[out + j + 1] ?? 0) + s1;
      if (j + 2 <= i) sums[out + j + 2] = (sums[out + j + 2] ?? 0) + s2;
      if (j + 3 <= i) sums[out + j + 3] = (sums[out + j + 3] ?? 0) + s3;
    }
  }
}
