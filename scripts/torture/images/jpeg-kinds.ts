import {
  adobe,
  jfif,
  jpeg,
  jpegFile,
  type JpegComponent,
  type JpegPart,
  type JpegPicture,
} from './jpeg-writer.ts';
import { shows, type Specimen } from './specimen.ts';
import {
  COLORS,
  grey,
  HEIGHT,
  quadrantAt,
  toYcc,
  WIDTH,
  type Color,
  type Quadrants,
} from './test-picture.ts';

/** Quarters as stored values, one array for each component. */
type Stored = readonly (readonly number[])[];

/** Sampling factors of the components, as in "2x2 1x1 1x1". */
function components(stored: Stored, sampling: string, ids = '\x01\x02\x03\x04'): readonly JpegComponent[] {
  return stored.map((values, i) => {
    const [h = 1, v = 1] = (sampling.split(' ')[i] ?? '1x1').split('x').map(Number);
    return { id: ids.charCodeAt(i), h, v, sample: (x, y) => values[quadrantAt(x, y)] ?? 0 };
  });
}

const perComponent = (colors: readonly (readonly number[])[]): Stored =>
  (colors[0] ?? []).map((_, c) => colors.map((color) => color[c] ?? 0));

export const YCC = perComponent(COLORS.map(toYcc));
const RGB = perComponent(COLORS);
const LUMA = YCC.slice(0, 1);
const LUMA_COLORS = COLORS.map((color) => grey(toYcc(color)[0])) as unknown as Quadrants;
/** Inverted ink, as Adobe stores it: with no black but in the last quarter, where half the light is left. */
const KEYS = [255, 255, 255, 128] as const;
const CMYK = perComponent(COLORS.map((color, i) => [...color, KEYS[i] ?? 0]));
const YCCK = perComponent(
  COLORS.map((color, i) => [...toYcc(color.map((c) => 255 - c) as unknown as Color), KEYS[i] ?? 0]),
);
const dimmed: Quadrants = [COLORS[0], COLORS[1], COLORS[2], [115, 110, 45]];

const TOLERANCE = 6;
const ok = shows(COLORS, TOLERANCE);

/** A YCbCr picture. */
export const picture = (options: Partial<JpegPicture> = {}, sampling = '2x2 1x1 1x1'): JpegPicture => ({
  ...{ width: WIDTH, height: HEIGHT, components: components(YCC, sampling) },
  ...options,
});

const valid = (name: string, parts: () => readonly JpegPart[], expected = ok): Specimen => ({
  kind: 'JPEG, valid',
  name,
  bytes: () => jpegFile(parts()),
  expected,
});

const SAMPLINGS = {
  '4:4:4': '1x1 1x1 1x1',
  '4:2:2': '2x1 1x1 1x1',
  '4:2:0': '2x2 1x1 1x1',
  '4:1:1': '4x1 1x1 1x1',
  '4:4:0': '1x2 1x1 1x1',
  '4:1:0': '4x2 1x1 1x1',
  '4:4:4 of 2x2 blocks each': '2x2 2x2 2x2',
  'chroma finer than luma': '1x1 2x2 1x1',
  'each component its own way': '2x2 2x1 1x2',
};

const VARIANTS: readonly (readonly [string, Partial<JpegPicture>])[] = [
  ['baseline', {}],
  ['baseline, restarts', { restartInterval: 3 }],
  ['baseline, component by component', { separate: true }],
  ['progressive', { progressive: true }],
  ['progressive, restarts', { progressive: true, restartInterval: 2 }],
  ['progressive, component by component', { progressive: true, separate: true, restartInterval: 5 }],
];

const encodings = VARIANTS.flatMap(([variant, options]) => [
  ...Object.entries(SAMPLINGS)
    .filter(([, sampling]) => (options.separate ?? false) || sampling !== '2x2 2x2 2x2') // over 10 blocks an MCU
    .map(([name, sampling]) => valid(`${variant}, ${name}`, () => jpeg(picture(options, sampling)))),
  valid(
    `${variant}, grey`,
    () => jpeg(picture({ ...options, components: components(LUMA, '1x1') })),
    shows(LUMA_COLORS, TOLERANCE),
  ),
  valid(
    `${variant}, grey said to be 2x2`,
    () => jpeg(picture({ ...options, components: components(LUMA, '2x2') })),
    shows(LUMA_COLORS, TOLERANCE),
  ),
  ...(
    [
      ['CMYK, Adobe', CMYK, [adobe(0)]],
      ['CMYK, no Adobe', CMYK, []],
      ['YCCK, Adobe', YCCK, [adobe(2)]],
    ] as const
  ).map(([name, stored, before]) =>
    valid(
      `${variant}, ${name}`,
      () => jpeg(picture({ ...options, before, components: components(stored, '1x1 1x1 1x1 1x1') })),
      shows(dimmed, TOLERANCE),
    ),
  ),
]);

const colors = (
  [
    ['RGB, Adobe', RGB, [adobe(0)], '\x01\x02\x03'],
    ['RGB by its component names', RGB, [], 'RGB'],
    ['YCbCr, Adobe', YCC, [adobe(1)], '\x01\x02\x03'],
    ['YCbCr, neither JFIF nor Adobe', YCC, [], '\x01\x02\x03'],
    ['YCbCr, JFIF against Adobe: JFIF counts', YCC, [jfif, adobe(0)], '\x01\x02\x03'],
  ] as const
).map(([name, stored, before, ids]) =>
  valid(name, () => jpeg(picture({ before, components: components(stored, '1x1 1x1 1x1', ids) }))),
);

export const jpegKinds: readonly Specimen[] = [...encodings, ...colors];
