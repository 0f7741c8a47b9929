// The one loop that all products share: y = act(x W^T + bias) + residual.

import { epilogue } from "./epilogue";

/**
 * @param w        packed weights, tiles of 8 outputs, `tile` bytes each
 * @param x        float32 [rows, k]
 * @param y        float32 [rows, n]; n % 8 == 0; not x
 * @param bias     float32 [n], or 0
 * @param residual float32 [rows, n], or 0
 * @param a        workspace for quantised rows: chunk * ceil(k / 32) * 80 bytes
 * @param panel    workspace for an unpacked tile: ceil(k / 32) * 544 bytes
 * @param chunk    rows quantised and multiplied at a time, so that they stay in the cache; a multiple of 4
 * @param quantize rows to records of `record` bytes a block, in fours
 * @param unpack   one tile to the panel
 * @param quads    rows in fours with the panel
 * @param single   one row with all tiles: what decoding a token costs
 */
export function matmul(
  w: usize, tile: usize, x: usize, y: usize, rows: i32, k: i32, n: i32,
  bias: usize, act: i32, residual: usize, a: usize, panel: usize, chunk: i32, record: usize,
  quantize: (x: usize, rows: i32, k: i32, a: usize) => void,
  unpack: (w: usize, panel: usize, nb: i32) => void,
  quads: (panel: usize, a: usize, y: usize, ldy: usize, quads: i32, k: i32) => void,
  single: (w: usize, a: usize, y: usize, nb: i32, tiles: i32, panel: usize) => void,
): void {
  const nb = (k + 31) >> 5;
  const ldy = <usize>n * 4;
  const tiles = n >> 3;
  for (let r = 0; r < rows; r += chunk) {
    const m = min(chunk, rows - r);
    const fours = m >> 2;
    quantize(x, m, k, a);
    if (fours) {
      for (let t = 0; t < tiles; t++) {
        unpack(w + <usize>t * tile, panel, nb);
        quads(panel, a, y + <usize>t * 32, ldy, fours, k);
      }
    }
    for (let i = fours * 4; i < m; i++) single(w, a + <usize>(i * nb) * record, y + <usize>i * ldy, nb, tiles, panel);
    if (bias || act || residual) epilogue(y, m, n, bias, act, residual);
    x += <usize>(m * k) * 4;
    y += <usize>m * ldy;
    if (residual) residual += <usize>m * ldy;
  }
}
