import { concat, uint32 } from './bytes.ts';
import { PLTE } from './png-kinds.ts';
import {
  chunk,
  chunkBytes,
  idat,
  ihdr,
  png,
  pngFile,
  scanlines,
  SIGNATURE,
  type PngChunk,
  type PngPicture,
} from './png-writer.ts';
import { invalid, shows, tooLarge, unsupported, type Expected, type Specimen } from './specimen.ts';
import { COLORS, HEIGHT, quadrantAt, WHITE, WIDTH } from './test-picture.ts';

/** The last of the four colours is hidden by tRNS. */
const PICTURE: PngPicture = {
  ...{ width: WIDTH, height: HEIGHT, bitDepth: 8, colorType: 3 },
  pixel: (x, y) => [quadrantAt(x, y)],
};
const LINES = scanlines(PICTURE);
const CHUNKS = png(PICTURE, [
  chunk('gAMA', uint32(45_455)),
  PLTE,
  chunk('tRNS', [255, 255, 255, 0]),
  chunk('tEXt', [65, 0, 66]),
]);
const ok = shows([COLORS[0], COLORS[1], COLORS[2], WHITE], 1);
const opaque = shows(COLORS, 1);

const specimen = (name: string, bytes: () => Uint8Array, expected: Expected): Specimen => ({
  kind: 'PNG, damaged',
  name,
  bytes,
  expected,
});

/** What becomes of the file without the chunk, with it twice, and with its payload a byte shorter. */
const OUTCOMES: Readonly<Record<string, readonly [Expected, Expected, Expected]>> = {
  IHDR: [invalid, invalid, invalid],
  gAMA: [ok, ok, ok],
  PLTE: [invalid, invalid, invalid],
  tRNS: [opaque, invalid, opaque],
  tEXt: [ok, ok, ok],
  IDAT: [invalid, invalid, invalid],
  IEND: [invalid, ok, ok],
};

const damagedChunks = CHUNKS.flatMap((one, i): readonly Specimen[] => {
  const { type, data } = one;
  const [missing, doubled, shorter] = OUTCOMES[type] ?? [invalid, invalid, invalid];
  const withChunks = (chunks: readonly PngChunk[]): Uint8Array =>
    pngFile([...CHUNKS.slice(0, i), ...chunks, ...CHUNKS.slice(i + 1)]);
  const before = concat([SIGNATURE, ...CHUNKS.slice(0, i).map(chunkBytes)]);
  const after = concat(CHUNKS.slice(i + 1).map(chunkBytes));
  const own = chunkBytes(one);
  const withLength = (length: number): Uint8Array => concat([before, uint32(length), own.subarray(4), after]);
  return [
    specimen(`${type} missing`, () => withChunks([]), missing),
    specimen(`${type} doubled`, () => withChunks([one, one]), doubled),
    specimen(`${type} shorter`, () => withChunks([{ type, data: data.subarray(0, -1) }]), shorter),
    specimen(`${type} in lower case`, () => withChunks([{ type: type.toLowerCase(), data }]), missing),
    specimen(`file ends in ${type}`, () => concat([before, own.subarray(0, -5)]), invalid),
    specimen(`file ends before ${type}`, () => before, invalid),
    specimen(
      `${type} with a wrong CRC`,
      () => concat([before, changed(own, -1, (byte) => byte ^ 1), after]),
      invalid,
    ),
    ...[data.length + 1, data.length + 13, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff].map((length) =>
      specimen(`${type} with a length of ${length}`, () => withLength(length), invalid),
    ),
    ...(data.length > 0 ? [specimen(`${type} with a length of 0`, () => withLength(0), invalid)] : []),
  ];
});

const sized = (width: number, height: number, expected: Expected): Specimen =>
  specimen(
    `${width}x${height}`,
    () => pngFile([ihdr({ ...PICTURE, width, height }), ...CHUNKS.slice(1)]),
    expected,
  );

const withHeader = (name: string, at: number, value: number, expected: Expected): Specimen =>
  specimen(
    name,
    () => {
      const header = ihdr(PICTURE);
      header.data[at] = value;
      return pngFile([header, ...CHUNKS.slice(1)]);
    },
    expected,
  );

const withData = (name: string, data: (stream: Uint8Array) => Uint8Array, expected = invalid): Specimen =>
  specimen(
    name,
    () => pngFile(CHUNKS.map((one) => (one.type === 'IDAT' ? { ...one, data: data(one.data) } : one))),
    expected,
  );

function changed(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  return bytes.with(at, change(bytes.at(at) ?? 0));
}

export const pngDamage: readonly Specimen[] = [
  ...damagedChunks,
  ...[
    [0, 0],
    [0, HEIGHT],
    [WIDTH, 0],
    [2 ** 31, 1],
    [2 ** 32 - 1, 2 ** 32 - 1],
    [WIDTH, HEIGHT + 1],
    [WIDTH + 1, HEIGHT],
    [WIDTH, HEIGHT - 1],
    [WIDTH - 1, HEIGHT],
  ].map(([width = 0, height = 0]) => sized(width, height, invalid)),
  ...[
    [30_000, 30_000],
    [2 ** 31 - 1, 2 ** 31 - 1],
    [65_536, 1],
    [1, 65_536],
    [65_535, 65_535],
  ].map(([width = 0, height = 0]) => sized(width, height, tooLarge)),
  withHeader('colour type 1', 9, 1, invalid),
  withHeader('colour type 255', 9, 255, invalid),
  withHeader('3 bits', 8, 3, invalid),
  withHeader('16-bit palette', 8, 16, invalid),
  withHeader('no bits', 8, 0, invalid),
  withHeader('unknown compression', 10, 1, unsupported),
  withHeader('unknown filter method', 11, 1, unsupported),
  withHeader('unknown interlacing', 12, 2, unsupported),
  withHeader('called interlaced, but is not', 12, 1, invalid),
  withData('wrong Adler-32', (stream) => changed(stream, -1, (byte) => byte ^ 1)),
  withData('Adler-32 cut off', (stream) => stream.subarray(0, -4)),
  withData('data cut in half', (stream) => stream.subarray(0, stream.length / 2)),
  withData('data followed by more', (stream) => concat([stream, [0, 0, 0, 0]])),
  withData('not zlib', (stream) => changed(stream, 0, () => 0x79)),
  withData('a preset dictionary', (stream) => concat([[0x78, 0xbb], stream.subarray(2)])),
  withData('an unknown block type', (stream) => changed(stream, 2, (byte) => byte | 7)),
  withData('no data in the chunk', () => new Uint8Array(0)),
  withData('an unknown filter byte', () => idat(LINES.with((WIDTH + 1) * 7, 5)).data),
  withData('a line too many', () => idat(concat([LINES, LINES.subarray(0, WIDTH + 1)])).data),
  withData('a byte too few', () => idat(LINES.subarray(0, -1)).data),
  specimen('the signature alone', () => SIGNATURE, invalid),
  specimen(
    'the signature as a text editor leaves it',
    () => concat([[0x89, 0x50, 0x4e, 0x47, 10, 26, 10], pngFile(CHUNKS).subarray(8)]),
    unsupported,
  ),
  specimen('data in two places', () => pngFile(splitAround(CHUNKS, chunk('tEXt', [65, 0]))), invalid),
  specimen(
    'an unknown critical chunk',
    () => pngFile([...CHUNKS.slice(0, -1), chunk('ABCD'), chunk('IEND')]),
    invalid,
  ),
  specimen(
    'a chunk named in control characters',
    () => pngFile([...CHUNKS.slice(0, -1), chunk('\x01\x02\x03\x04'), chunk('IEND')]),
    invalid,
  ),
  specimen('a palette of 257', () => pngFile(replaced('PLTE', new Uint8Array(257 * 3))), invalid),
  specimen('an empty palette', () => pngFile(replaced('PLTE', new Uint8Array(0))), invalid),
  specimen('more alphas than colours', () => pngFile(replaced('tRNS', new Uint8Array(5))), invalid),
  specimen(
    'palette after the data',
    () => pngFile([...CHUNKS.filter(({ type }) => !'PLTE tRNS IEND'.includes(type)), PLTE, chunk('IEND')]),
    invalid,
  ),
];

function replaced(type: string, data: Uint8Array): readonly PngChunk[] {
  return CHUNKS.map((one) => (one.type === type ? { type, data } : one));
}

function splitAround(chunks: readonly PngChunk[], between: PngChunk): readonly PngChunk[] {
  return chunks.flatMap((one) =>
    one.type === 'IDAT'
      ? [chunk('IDAT', one.data.subarray(0, 20)), between, chunk('IDAT', one.data.subarray(20))]
      : [one],
  );
}
