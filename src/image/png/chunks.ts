import { hasText, uint32 } from '../bytes.ts';
import { invalidImage, unsupportedImage } from '../errors.ts';
import { readOrientation, type Orientation } from '../orientation.ts';

export type ColorType = 0 | 2 | 3 | 4 | 6;

/** What a PNG's IHDR says. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly colorType: ColorType;
  readonly interlaced: boolean;
}

export interface Png {
  readonly header: PngHeader;
  readonly palette: Uint8Array | null; // [entries, 3]
  readonly transparency: Uint8Array | null;
  readonly orientation: Orientation;
  /** The IDAT payloads: one zlib stream. Read as they are asked for: a file may have a million of them. */
  readonly data: Iterable<Uint8Array>;
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
  readonly end: number;
}

/** Values a pixel, by colour type. */
export const SAMPLES: Record<ColorType, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

const BIT_DEPTHS: Record<ColorType, readonly number[]> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

export function readPngHeader(bytes: Uint8Array): PngHeader {
  const { type, data } = readChunk(bytes, 8);
  if (type !== 'IHDR' || data.length !== 13) throw invalidImage('The PNG does not begin with its header.');
  const [bitDepth = 0, colorType = 0, compression, filter, interlace = 0] = data.subarray(8);
  const width = uint32(data, 0);
  const height = uint32(data, 4);
  if (width === 0 || height === 0 || width >= 2 ** 31 || height >= 2 ** 31) {
    throw invalidImage(`The PNG gives an impossible size of ${width}x${height}.`);
  }
  if (!isColorType(colorType) || !BIT_DEPTHS[colorType].includes(bitDepth)) {
    throw invalidImage(
      `The PNG has colour type ${colorType} with ${bitDepth} bits, which PNG does not have.`,
    );
  }
  if (compression !== 0 || filter !== 0 || interlace > 1) {
    throw unsupportedImage(
      'This PNG uses a compression, filter or interlace method that PNG does not define.',
    );
  }
  return { width, height, bitDepth, colorType, interlaced: interlace === 1 };
}

const isColorType = (value: number): value is ColorType => value in BIT_DEPTHS;

/**
 * Reads all chunks of a PNG, checks their CRCs and order, and keeps those that make the picture. Of an
 * animated PNG that is its default image. Text and colour profiles are passed over unread.
 */
export function readPng(bytes: Uint8Array): Png {
  const header = readPngHeader(bytes);
  const seen = new Set(['IHDR']);
  let data: Iterable<Uint8Array> | null = null;
  let palette: Uint8Array | null = null;
  let transparency: Uint8Array | null = null;
  let orientation: Orientation = 1;
  let previous = 'IHDR';

  let at = 33;
  let chunk = readChunk(bytes, at);
  for (; chunk.type !== 'IEND'; at = chunk.end, chunk = readChunk(bytes, at)) {
    const { type } = chunk;
    const repeats = seen.has(type);
    if (type === 'IDAT') {
      if (repeats && previous !== 'IDAT') throw invalidImage('The PNG has its data in two places.');
      data ??= readData(bytes, at);
    } else if (type === 'PLTE' || type === 'tRNS') {
      if (repeats || seen.has('IDAT')) throw invalidImage(`The PNG has a ${type} chunk where none may be.`);
      if (type === 'PLTE') palette = chunk.data;
      else transparency = chunk.data;
    } else if (type === 'eXIf') {
      orientation = readOrientation(chunk.data);
    } else if (!isAncillary(type)) {
      throw invalidImage(`The PNG has a chunk that is not known or may not be there.`);
    }
    if (!isAncillary(type) || type === 'tRNS') seen.add(type);
    previous = type;
  }
  if (data === null) throw invalidImage('The PNG has no data.');
  checkColors(header, palette, transparency);
  return { header, palette, transparency, orientation, data };
}

/** The payloads of consecutive IDAT chunks from `at`. They were checked. */
function* readData(bytes: Uint8Array, at: number): Generator<Uint8Array> {
  while (hasText(bytes, 'IDAT', at + 4)) {
    const end = at + 12 + uint32(bytes, at);
    yield bytes.subarray(at + 8, end - 4);
    at = end;
  }
}

/** A lower-case first letter: a decoder may pass over the chunk. */
const isAncillary = (type: string): boolean => type.charCodeAt(0) >= 0x60;

function checkColors(
  { colorType, bitDepth }: PngHeader,
  palette: Uint8Array | null,
  transparency: Uint8Array | null,
): void {
  if (colorType === 3) {
    const entries = (palette?.length ?? 0) / 3;
    if (!Number.isInteger(entries) || entries < 1 || entries > 2 ** bitDepth) {
      throw invalidImage('The PNG lacks its palette, or has one of the wrong size.');
    }
    if (transparency && transparency.length > entries) {
      throw invalidImage('The PNG has a damaged tRNS chunk.');
    }
  }
  const expected = { 0: 2, 2: 6, 3: transparency?.length, 4: undefined, 6: undefined }[colorType];
  if (transparency && transparency.length !== expected) {
    throw invalidImage('The PNG has a damaged tRNS chunk.');
  }
}

function readChunk(bytes: Uint8Array, at: number): Chunk {
  const length = uint32(bytes, at);
  const end = at + 12 + length;
  if (at + 12 > bytes.length || end > bytes.length) throw invalidImage('The PNG is cut short.');
  const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
  if (!/^[A-Za-z]{4}$/.test(type)) throw invalidImage('The PNG is damaged (a chunk without a name).');
  if (crc32(bytes.subarray(at + 4, end - 4)) !== uint32(bytes, end - 4)) {
    throw invalidImage(`The PNG is damaged (the checksum of its ${type} chunk is wrong).`);
  }
  return { type, data: bytes.subarray(at + 8, end - 4), end };
}

/** The CRC of ISO 3309, as PNG uses it. */
export function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});
