import { deflateRawSync, deflateSync } from 'node:zlib';
import { concat, latin1, uint32 } from './bytes.ts';
import { rgbPng, rgbScanlines } from './png-kinds.ts';
import { chunk, idat, ihdr, pngFile, type PngChunk } from './png-writer.ts';
import { invalid, shows, tooLarge, type Expected, type Specimen } from './specimen.ts';
import { COLORS, grey, type Color } from './test-picture.ts';

const MEGABYTE = 2 ** 20;
const all = (color: Color): Expected => shows([color, color, color, color], 1);
const ok = shows(COLORS, 1);
const BLACK = grey(0);

const bomb = (name: string, bytes: () => Uint8Array, expected: Expected): Specimen => ({
  kind: 'PNG, bombs',
  name,
  bytes,
  expected,
  alone: true,
});

/** zlib's stream of `length` zeros, in the few bytes it takes, without holding the zeros. */
function zeros(length: number): Uint8Array {
  const part = deflateRawSync(new Uint8Array(MEGABYTE), { level: 9, finishFlush: 2 }); // Z_SYNC_FLUSH
  const rest = deflateRawSync(new Uint8Array(length % MEGABYTE), { level: 9 });
  const ones = new Array<Uint8Array>(Math.floor(length / MEGABYTE)).fill(part);
  const adler = ((length % 65_521) << 16) | 1; // of zeros: the second sum counts them
  return concat([[0x78, 0xda], ...ones, rest, uint32(adler >>> 0)]);
}

/** A black picture. */
function black(
  width: number,
  height: number,
  colorType: number,
  bitDepth: number,
  interlaced = false,
): Uint8Array {
  const samples = { 0: 1, 2: 3, 4: 2, 6: 4 }[colorType] ?? 1;
  const stride = Math.ceil((width * samples * bitDepth) / 8);
  const lines = interlaced
    ? idat(new Uint8Array(height * (stride + 1) + interlacedFilters(height))).data
    : zeros(height * (1 + stride));
  return pngFile([
    ihdr({ width, height, bitDepth, colorType, interlaced }),
    { type: 'IDAT', data: lines },
    chunk('IEND'),
  ]);
}

/** Filter bytes of Adam7's passes beyond one a row, for heights that 8 divides. */
const interlacedFilters = (height: number): number => (height / 8) * 15 - height;

const rgb = (change: (chunks: readonly PngChunk[]) => readonly PngChunk[]): (() => Uint8Array) => {
  return () => pngFile(change(rgbPng()));
};

/** Data in chunks of `size`, with as many empty ones between. */
const inPieces = (stream: Uint8Array, size: number, empty: number): readonly PngChunk[] =>
  Array.from({ length: Math.ceil(stream.length / size) }, (_, i) => [
    { type: 'IDAT', data: stream.subarray(i * size, (i + 1) * size) },
    ...new Array<PngChunk>(empty).fill(chunk('IDAT')),
  ]).flat();

const giant = (type: string, head: string): Specimen =>
  bomb(
    `${type} that swells to 1 GB, in a file of 1 MB`,
    () => pngFile(rgbPng([chunk(type, concat([latin1(head), zeros(1024 * MEGABYTE)]))])),
    ok,
  );

export const pngBombs: readonly Specimen[] = [
  bomb('30,000x30,000 grey in 110 KB', () => black(30_000, 30_000, 0, 1), tooLarge),
  bomb('20,000x20,000 RGB and alpha, 16 bits', () => black(20_000, 20_000, 6, 16), tooLarge),
  bomb(
    '1,000x1,000 by the header, 500 megapixels of data',
    () => {
      const header = ihdr({ width: 1000, height: 1000, bitDepth: 8, colorType: 2 });
      return pngFile([header, { type: 'IDAT', data: zeros(500 * MEGABYTE) }, chunk('IEND')]);
    },
    invalid,
  ),
  bomb('the largest grey, 1 bit', () => black(6000, 6000, 0, 1), all(BLACK)),
  bomb('the largest grey', () => black(6000, 6000, 0, 8), all(BLACK)),
  bomb('the largest RGB', () => black(4000, 3000, 2, 8), all(BLACK)),
  bomb('the largest RGB and alpha', () => black(3000, 3000, 6, 8), all(grey(255))),
  bomb('the largest RGB and alpha, 16 bits', () => black(2500, 1800, 6, 16), all(grey(255))),
  bomb('a row more than the largest RGB', () => black(4000, 3001, 2, 8), tooLarge),
  bomb('the largest interlaced', () => black(2000, 2000, 2, 8, true), all(BLACK)),
  bomb('the largest interlaced, 16 bits with alpha', () => black(2000, 2000, 6, 16, true), all(grey(255))),
  bomb('65,535x1', () => black(65_535, 1, 2, 8), all(BLACK)),
  bomb('1x65,535', () => black(1, 65_535, 2, 8), all(BLACK)),
  bomb('65,535x68', () => black(65_535, 68, 6, 16), all(grey(255))),
  bomb('183x65,535', () => black(183, 65_535, 2, 8), all(BLACK)),
  bomb('65,536x1', () => black(65_536, 1, 2, 8), tooLarge),
  bomb(
    'a byte in each IDAT',
    rgb(([header, data, end]) => [
      ...(header ? [header] : []),
      ...inPieces(data?.data ?? new Uint8Array(), 1, 0),
      ...(end ? [end] : []),
    ]),
    ok,
  ),
  bomb(
    '1.5 million empty IDATs',
    rgb(([header, data, end]) => [
      ...(header ? [header] : []),
      ...new Array<PngChunk>(1_500_000).fill(chunk('IDAT')),
      ...(data ? [data] : []),
      ...(end ? [end] : []),
    ]),
    ok,
  ),
  bomb(
    'stored data, 400,000 IDATs of one byte',
    () => {
      const [width, height] = [1000, 133];
      const stream = deflateSync(new Uint8Array(height * (1 + 3 * width)), { level: 0 });
      return pngFile([
        ihdr({ width, height, bitDepth: 8, colorType: 2 }),
        ...inPieces(stream, 1, 0),
        chunk('IEND'),
      ]);
    },
    all(BLACK),
  ),
  bomb(
    '100,000 chunks, each with a name of its own',
    () => {
      const names = Array.from({ length: 100_000 }, (_, i) => chunk(nameOf(i)));
      return pngFile(rgbPng(names));
    },
    ok,
  ),
  giant('iCCP', 'profile\0\0'),
  giant('zTXt', 'Comment\0\0'),
  giant('iTXt', 'Comment\0\x01\0\0\0'),
  bomb(
    'a text of 19 MB',
    () => pngFile(rgbPng([{ type: 'tEXt', data: new Uint8Array(19 * MEGABYTE).fill(65) }])),
    ok,
  ),
  bomb(
    'an EXIF of 19 MB',
    () => pngFile(rgbPng([{ type: 'eXIf', data: new Uint8Array(19 * MEGABYTE).fill(0x4d) }])),
    ok,
  ),
  bomb(
    'data of empty stored blocks',
    () => {
      const empty = new Uint8Array(5 * 1_500_000);
      for (let at = 0; at < empty.length; at += 5) empty.set([0, 0, 0, 0xff, 0xff], at);
      const stream = idat(rgbScanlines()).data;
      return pngFile(
        rgbPng().map((one) =>
          one.type === 'IDAT'
            ? { type: 'IDAT', data: concat([stream.subarray(0, 2), empty, stream.subarray(2)]) }
            : one,
        ),
      );
    },
    ok,
  ),
];

/** An ancillary chunk's name: a lower-case letter, then three of 52. */
function nameOf(index: number): string {
  const letter = (n: number): string => String.fromCharCode(n < 26 ? 97 + n : 39 + n);
  const [first, ...others] = [
    Math.floor(index / 52 ** 3) % 26,
    Math.floor(index / 52 ** 2) % 52,
    Math.floor(index / 52) % 52,
    index % 52,
  ];
  return String.fromCharCode(97 + first) + others.map(letter).join('');
}
