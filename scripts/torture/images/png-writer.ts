import { crc32, deflateSync } from 'node:zlib';
import { concat, latin1, uint32 } from './bytes.ts';

export const SIGNATURE = latin1('\x89PNG\r\n\x1a\n');

export interface PngChunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/** What a PNG is made from. */
export interface PngPicture {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly colorType: number;
  readonly interlaced?: boolean;
  /** The pixel's values, each of `bitDepth` bits. */
  readonly pixel: (x: number, y: number) => readonly number[];
}

export const chunk = (type: string, data: ArrayLike<number> = []): PngChunk => ({
  type,
  data: Uint8Array.from(data),
});

export function chunkBytes({ type, data }: PngChunk): Uint8Array {
  const body = concat([latin1(type), data]);
  return concat([uint32(data.length), body, uint32(crc32(body))]);
}

export function pngFile(chunks: readonly PngChunk[]): Uint8Array {
  const written = new Map<PngChunk, Uint8Array>(); // bombs repeat one chunk a million times
  const bytesOf = (one: PngChunk): Uint8Array => {
    const bytes = written.get(one) ?? chunkBytes(one);
    written.set(one, bytes);
    return bytes;
  };
  return concat([SIGNATURE, ...chunks.map(bytesOf)]);
}

export function ihdr({
  width,
  height,
  bitDepth,
  colorType,
  interlaced,
}: Omit<PngPicture, 'pixel'>): PngChunk {
  const methods = [bitDepth, colorType, 0, 0, interlaced ? 1 : 0];
  return chunk('IHDR', [...uint32(width), ...uint32(height), ...methods]);
}

export const idat = (inflated: Uint8Array): PngChunk => ({
  type: 'IDAT',
  data: new Uint8Array(deflateSync(inflated, { level: 9 })), // a Buffer's slice() would be no copy
});

/** A whole PNG; `between` are chunks after the header, before the data. */
export const png = (picture: PngPicture, between: readonly PngChunk[] = []): readonly PngChunk[] => [
  ihdr(picture),
  ...between,
  idat(scanlines(picture)),
  chunk('IEND'),
];

const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** The filtered lines, each with another of PNG's five filters than the one before it. */
export function scanlines({ width, height, bitDepth, interlaced, pixel }: PngPicture): Uint8Array {
  const lines: Uint8Array[] = [];
  for (const [left, top, dx, dy] of interlaced ? PASSES : [[0, 0, 1, 1] as const]) {
    let above: Uint8Array | null = null;
    for (let y = top; y < height && left < width; y += dy) {
      const values: number[] = [];
      for (let x = left; x < width; x += dx) values.push(...pixel(x, y));
      const line = pack(values, bitDepth);
      const bytesPerPixel = Math.max(1, (pixel(0, 0).length * bitDepth) / 8);
      lines.push(filtered(line, above ?? new Uint8Array(line.length), bytesPerPixel, lines.length % 5));
      above = line;
    }
  }
  return concat(lines);
}

function pack(values: readonly number[], bitDepth: number): Uint8Array {
  const line = new Uint8Array(Math.ceil((values.length * bitDepth) / 8));
  values.forEach((value, i) => {
    for (let bit = 0; bit < bitDepth; bit++) {
      const at = i * bitDepth + bit;
      if ((value >> (bitDepth - 1 - bit)) & 1) line[at >> 3] = (line[at >> 3] ?? 0) | (0x80 >> (at & 7));
    }
  });
  return line;
}

function filtered(line: Uint8Array, above: Uint8Array, bytesPerPixel: number, filter: number): Uint8Array {
  const out = new Uint8Array(line.length + 1);
  out[0] = filter;
  line.forEach((value, x) => {
    const left = line[x - bytesPerPixel] ?? 0;
    const up = above[x] ?? 0;
    const corner = above[x - bytesPerPixel] ?? 0;
    out[x + 1] = value - ([0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0);
  });
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const [nearest = left] = [left, up, corner].sort((a, b) => Math.abs(estimate - a) - Math.abs(estimate - b));
  return nearest; // the sort is stable: ties go to the left, then up
}
