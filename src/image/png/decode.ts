import { invalidImage } from '../errors.ts';
import type { Band, Pause, Picture } from '../picture.ts';
import { readPng, type Png } from './chunks.ts';
import { inflateParts } from './inflate.ts';
import { createScanlineDecoder, scanlineBytes } from './scanlines.ts';

const BAND_PIXELS = 1 << 16;

/**
 * Decodes a PNG, transparency over white. Of 16-bit samples the high byte is taken. An interlaced
 * picture is held whole (3 bytes a pixel), any other a band at a time.
 * @throws invalid_image where the file is damaged or cut short.
 */
export function decodePng(bytes: Uint8Array, pause: Pause): Picture {
  const png = readPng(bytes);
  const bands = png.header.interlaced ? decodeInterlaced(png, pause) : decodeSequential(png, pause);
  return { orientation: png.orientation, bands };
}

async function* decodeSequential(png: Png, pause: Pause): AsyncGenerator<Band> {
  const { width, height } = png.header;
  const rgb = new Uint8Array(rowsPerBand(width) * width * 3);
  const passes = [{ x: 0, y: 0, dx: 1, dy: 1, width, height }];
  for await (const { rgba, rows } of decodePasses(png, passes)) {
    for (let i = 0; i < rows * width; i++) overWhite(rgba, 4 * i, rgb, 3 * i);
    yield { rgb, rows };
    await pause(rows * width);
  }
}

async function* decodeInterlaced(png: Png, pause: Pause): AsyncGenerator<Band> {
  const { width, height } = png.header;
  const rgb = new Uint8Array(height * width * 3);
  for await (const { pass, first, rgba, rows } of decodePasses(png, adam7(width, height))) {
    for (let row = 0, from = 0; row < rows; row++) {
      let to = 3 * ((pass.y + (first + row) * pass.dy) * width + pass.x);
      for (let x = 0; x < pass.width; x++, from += 4, to += 3 * pass.dx) overWhite(rgba, from, rgb, to);
    }
    await pause(rows * pass.width);
  }
  const perBand = rowsPerBand(width);
  for (let row = 0; row < height; row += perBand) {
    const rows = Math.min(perBand, height - row);
    yield { rgb: rgb.subarray(row * width * 3, (row + rows) * width * 3), rows };
    await pause(rows * width);
  }
}

/** A pass of Adam7: every dx-th pixel of every dy-th row, from (x, y). */
interface Pass {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  readonly width: number;
  readonly height: number;
}

function adam7(width: number, height: number): readonly Pass[] {
  const passes = [
    { x: 0, y: 0, dx: 8, dy: 8 },
    { x: 4, y: 0, dx: 8, dy: 8 },
    { x: 0, y: 4, dx: 4, dy: 8 },
    { x: 2, y: 0, dx: 4, dy: 4 },
    { x: 0, y: 2, dx: 2, dy: 4 },
    { x: 1, y: 0, dx: 2, dy: 2 },
    { x: 0, y: 1, dx: 1, dy: 2 },
  ];
  return passes
    .map((pass) => ({
      ...pass,
      width: Math.ceil((width - pass.x) / pass.dx),
      height: Math.ceil((height - pass.y) / pass.dy),
    }))
    .filter((pass) => pass.width > 0 && pass.height > 0);
}

interface PassRows {
  readonly pass: Pass;
  /** The first of these rows, in the pass. */
  readonly first: number;
  readonly rows: number;
  readonly rgba: Uint8Array; // [rows, pass.width, 4]
}

async function* decodePasses(png: Png, passes: readonly Pass[]): AsyncGenerator<PassRows> {
  const parts = inflateParts(png.data, partSizes(png, passes));
  for (const pass of passes) {
    const decode = createScanlineDecoder(png, pass.width);
    const perBand = rowsPerBand(pass.width);
    for (let first = 0; first < pass.height; first += perBand) {
      const rows = Math.min(perBand, pass.height - first);
      const { value, done } = await parts.next();
      if (done) throw invalidImage('The PNG is cut short.');
      yield { pass, first, rows, rgba: decode(value, rows) };
    }
  }
  await parts.next(); // past the last part: checks the end of the data
}

function* partSizes(png: Png, passes: readonly Pass[]): Generator<number> {
  for (const { width, height } of passes) {
    const perBand = rowsPerBand(width);
    for (let first = 0; first < height; first += perBand) {
      yield Math.min(perBand, height - first) * (1 + scanlineBytes(png, width));
    }
  }
}

const rowsPerBand = (width: number): number => Math.max(1, Math.floor(BAND_PIXELS / width));

/** Pillow's alpha_composite over opaque white, to the bit. */
function overWhite(rgba: Uint8Array, from: number, rgb: Uint8Array, to: number): void {
  const alpha = rgba[from + 3] ?? 0;
  for (let c = 0; c < 3; c++) {
    const value = rgba[from + c] ?? 0;
    const sum = ((value * alpha + 255 * (255 - alpha)) << 7) + (0x80 << 7);
    rgb[to + c] = alpha === 255 ? value : (((sum >> 8) + sum) >> 8) >> 7;
  }
}
