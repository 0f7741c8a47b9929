import { uint32, latin1 } from './bytes.ts';
import { chunk, idat, png, pngFile, scanlines, type PngChunk, type PngPicture } from './png-writer.ts';
import { shows, type Specimen } from './specimen.ts';
import {
  COLORS,
  grey,
  HEIGHT,
  overWhite,
  quadrantAt,
  WHITE,
  WIDTH,
  type Color,
  type Quadrants,
} from './test-picture.ts';

/** A pixel format, the values of each quarter in it, and the colours they stand for. */
interface Format {
  readonly name: string;
  readonly colorType: number;
  readonly bitDepth: number;
  readonly values: readonly (readonly number[])[];
  readonly colors: Quadrants;
  readonly chunks?: readonly PngChunk[];
}

const ALPHAS = [255, 128, 255, 0] as const;
const GREYS = [17, 102, 170, 238] as const;
const four = <T>(make: (i: 0 | 1 | 2 | 3) => T): readonly [T, T, T, T] => [
  make(0),
  make(1),
  make(2),
  make(3),
];
/** Of 16 bits the high byte counts: the low one is set so that it would show. */
const wide = (value: number): number => value * 256 + 0x55;
const withHidden = (colors: Quadrants): Quadrants => [colors[0], colors[1], colors[2], WHITE];
const blended = (colors: Quadrants): Quadrants => four((i) => overWhite(colors[i], ALPHAS[i]));

export const PLTE = chunk('PLTE', COLORS.flat());
const greys = four((i) => grey(GREYS[i]));

function greyFormat(bitDepth: number): Format {
  const levels =
    bitDepth === 1 ? ([0, 1, 1, 0] as const) : four((i) => Math.floor((GREYS[i] * 2 ** bitDepth) / 256));
  const values = bitDepth === 16 ? GREYS.map(wide) : levels;
  const colors = four((i) =>
    grey(bitDepth === 16 ? GREYS[i] : Math.round((255 * levels[i]) / (2 ** bitDepth - 1))),
  );
  return { name: 'grey', colorType: 0, bitDepth, values: values.map((value) => [value]), colors };
}

function paletteFormat(bitDepth: number): Format {
  const indices = bitDepth === 1 ? ([0, 1, 1, 0] as const) : ([0, 1, 2, 3] as const);
  const entries = bitDepth === 1 ? COLORS.slice(0, 2) : COLORS;
  const colors = four((i) => COLORS[indices[i]]);
  const values = indices.map((index) => [index]);
  return { name: 'palette', colorType: 3, bitDepth, values, colors, chunks: [chunk('PLTE', entries.flat())] };
}

const deep = (color: Color): readonly number[] => color.map(wide);

const FORMATS: readonly Format[] = [
  ...[1, 2, 4, 8, 16].map(greyFormat),
  { name: 'RGB', colorType: 2, bitDepth: 8, values: COLORS, colors: COLORS },
  { name: 'RGB', colorType: 2, bitDepth: 16, values: COLORS.map(deep), colors: COLORS },
  ...[1, 2, 4, 8].map(paletteFormat),
  ...[8, 16].map((bitDepth): Format => {
    const values = four((i) => [GREYS[i], ALPHAS[i]].map((v) => (bitDepth === 16 ? wide(v) : v)));
    return { name: 'grey and alpha', colorType: 4, bitDepth, values, colors: blended(greys) };
  }),
  ...[8, 16].map((bitDepth): Format => {
    const values = four((i) => [...COLORS[i], ALPHAS[i]].map((v) => (bitDepth === 16 ? wide(v) : v)));
    return { name: 'RGB and alpha', colorType: 6, bitDepth, values, colors: blended(COLORS) };
  }),
  {
    name: 'grey, one hidden',
    ...{ colorType: 0, bitDepth: 8, values: GREYS.map((level) => [level]), colors: withHidden(greys) },
    chunks: [chunk('tRNS', [0, GREYS[3]])],
  },
  {
    name: 'RGB, one hidden',
    ...{ colorType: 2, bitDepth: 8, values: COLORS, colors: withHidden(COLORS) },
    chunks: [
      chunk(
        'tRNS',
        COLORS[3].flatMap((value) => [0, value]),
      ),
    ],
  },
  {
    name: 'palette with alphas',
    ...{ colorType: 3, bitDepth: 4, values: [[0], [1], [2], [3]], colors: blended(COLORS) },
    chunks: [PLTE, chunk('tRNS', ALPHAS)],
  },
  {
    name: 'palette without its last entry', // what libpng does: black
    ...{ colorType: 3, bitDepth: 8, values: [[0], [1], [2], [3]] },
    colors: [COLORS[0], COLORS[1], COLORS[2], [0, 0, 0]],
    chunks: [chunk('PLTE', COLORS.slice(0, 3).flat())],
  },
];

const pictureOf = ({ colorType, bitDepth, values }: Format, interlaced: boolean): PngPicture => ({
  ...{ width: WIDTH, height: HEIGHT, colorType, bitDepth, interlaced },
  pixel: (x, y) => values[quadrantAt(x, y)] ?? [],
});

const RGB: PngPicture = {
  ...{ width: WIDTH, height: HEIGHT, bitDepth: 8, colorType: 2 },
  pixel: (x, y) => COLORS[quadrantAt(x, y)],
};

/** An RGB picture with other chunks before its data. */
export const rgbPng = (between: readonly PngChunk[] = []): readonly PngChunk[] => png(RGB, between);
export const rgbScanlines = (): Uint8Array => scanlines(RGB);

/** The picture as default image; then two frames of another colour, which are passed over. */
function animated(): Uint8Array {
  const [header = chunk('IHDR'), data = chunk('IDAT'), end = chunk('IEND')] = rgbPng();
  const size = [...uint32(WIDTH), ...uint32(HEIGHT)];
  const fcTL = (sequence: number): PngChunk =>
    chunk('fcTL', [...uint32(sequence), ...size, ...uint32(0), ...uint32(0), 0, 1, 0, 10, 0, 0]);
  const blank = idat(new Uint8Array(HEIGHT * (1 + 3 * WIDTH)));
  const frame = (sequence: number): readonly PngChunk[] => [
    fcTL(sequence),
    chunk('fdAT', [...uint32(sequence + 1), ...blank.data]),
  ];
  const acTL = chunk('acTL', [...uint32(3), ...uint32(0)]);
  return pngFile([header, acTL, fcTL(0), data, ...frame(1), ...frame(3), end]);
}

export const pngKinds: readonly Specimen[] = [
  ...FORMATS.flatMap((format) =>
    [false, true].map((interlaced) => ({
      kind: 'PNG, valid',
      name: `${format.name}, ${format.bitDepth} bits${interlaced ? ', interlaced' : ''}`,
      bytes: () => pngFile(png(pictureOf(format, interlaced), format.chunks)),
      expected: shows(format.colors, 1),
    })),
  ),
  { kind: 'PNG, valid', name: 'animated', bytes: animated, expected: shows(COLORS, 1) },
  {
    kind: 'PNG, valid',
    name: 'text, profile, gamma, time and palette to be passed over',
    bytes: () =>
      pngFile(
        rgbPng([
          chunk('gAMA', uint32(100_000)),
          chunk('iCCP', [...latin1('x\0\0'), 1, 2, 3]), // not even a profile
          chunk('tEXt', latin1('Comment\0<script>alert(1)</script>')),
          PLTE,
          chunk('tIME', [7, 234, 1, 1, 0, 0, 0]),
        ]),
      ),
    expected: shows(COLORS, 1),
  },
];
