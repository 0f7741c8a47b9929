import { concat, uint16 } from './bytes.ts';
import { picture } from './jpeg-kinds.ts';
import { DHT, DQT, EOI, jpeg, jpegFile, segment, sof, SOI, sos, type JpegPart } from './jpeg-writer.ts';
import { invalid, shows, tooLarge, type Expected, type Specimen } from './specimen.ts';
import { COLORS, grey } from './test-picture.ts';

const bomb = (name: string, bytes: () => Uint8Array, expected: Expected): Specimen => ({
  kind: 'JPEG, bombs',
  name,
  bytes,
  expected,
  alone: true,
});

const GREY = shows([grey(128), grey(128), grey(128), grey(128)], 1);
const ok = shows(COLORS, 6);

/** Codes of one bit: 0 for a DC difference of 0, or "no more values" (0x00) or a run of 16,384 such blocks (0xe0). */
const oneCode = (spec: number, symbol: number): JpegPart =>
  segment('DHT', 0xc4, [spec, 1, ...new Array<number>(15).fill(0), symbol]);

const SAMPLINGS = { '4:2:0': [2, 2], '4:4:4': [1, 1], '4:1:0': [4, 2] } as const;
type Sampling = keyof typeof SAMPLINGS;

const shape = (width: number, height: number, sampling: Sampling) => ({
  width,
  height,
  components: [1, 2, 3].map((id) => ({
    id,
    ...{ h: id === 1 ? SAMPLINGS[sampling][0] : 1, v: id === 1 ? SAMPLINGS[sampling][1] : 1 },
    sample: () => 128,
  })),
});

const blocks = (width: number, height: number, sampling: Sampling): number => {
  const [h, v] = SAMPLINGS[sampling];
  return Math.ceil(width / (8 * h)) * Math.ceil(height / (8 * v)) * (h * v + 2);
};

/** A grey picture in two bits a block. */
function flatBaseline(width: number, height: number, sampling: Sampling): Uint8Array {
  const frame = shape(width, height, sampling);
  const bits = 2 * blocks(width, height, sampling);
  return jpegFile([
    ...[SOI, DQT, sof(frame, 0xc0), oneCode(0x00, 0), oneCode(0x10, 0)],
    sos(frame.components, { components: [0, 1, 2], start: 0, end: 63, high: 0, low: 0 }),
    { name: 'data', bytes: new Uint8Array(Math.ceil(bits / 8)) },
    EOI,
  ]);
}

/** A grey progressive picture: DC in a bit a block, then `passes` scans that say nothing of many blocks at once. */
function flatProgressive(width: number, height: number, sampling: Sampling, passes: number): Uint8Array {
  const frame = shape(width, height, sampling);
  const scan = (index: number, high: number, low: number): readonly JpegPart[] => [
    sos(frame.components, { components: [index], start: 1, end: 63, high, low }),
    { name: 'data', bytes: new Uint8Array(2 * Math.ceil(blocks(width, height, sampling) / 16_384) + 2) },
  ];
  return jpegFile([
    ...[SOI, DQT, sof(frame, 0xc2), oneCode(0x00, 0), oneCode(0x10, 0xe0)],
    sos(frame.components, { components: [0, 1, 2], start: 0, end: 0, high: 0, low: 0 }),
    { name: 'data', bytes: new Uint8Array(Math.ceil(blocks(width, height, sampling) / 8)) },
    ...Array.from({ length: passes }, (_, i) => scan(0, i % 2 === 0 ? 0 : 1, 0)).flat(),
    EOI,
  ]);
}

const repeated = (name: string, part: JpegPart, count: number, at: number): Specimen =>
  bomb(
    name,
    () => {
      const parts = jpeg(picture());
      const one = part.bytes;
      const many = new Uint8Array(one.length * count);
      for (let i = 0; i < count; i++) many.set(one, i * one.length);
      return concat([jpegFile(parts.slice(0, at)), many, jpegFile(parts.slice(at))]);
    },
    ok,
  );

export const jpegBombs: readonly Specimen[] = [
  bomb('30,000x30,000', () => flatBaseline(30_000, 30_000, '4:2:0'), tooLarge),
  bomb(
    '65,500x65,500 in 300 bytes',
    () => jpegFile([SOI, DQT, sof(shape(65_500, 65_500, '4:4:4'), 0xc2), ...DHT, EOI]),
    tooLarge,
  ),
  bomb(
    'the largest, without its data',
    () =>
      jpegFile(
        jpeg(picture()).map((part) => (part.name === 'SOF' ? sof(shape(6000, 4000, '4:2:0'), 0xc0) : part)),
      ),
    invalid,
  ),
  bomb(
    'the largest progressive, without its data',
    () =>
      jpegFile(
        jpeg(picture({ progressive: true })).map((part) =>
          part.name === 'SOF' ? sof(shape(4000, 2500, '4:2:0'), 0xc2) : part,
        ),
      ),
    invalid,
  ),
  bomb('the largest baseline, 4:2:0', () => flatBaseline(6000, 4000, '4:2:0'), GREY),
  bomb('the largest baseline, 4:4:4', () => flatBaseline(6000, 4000, '4:4:4'), GREY),
  bomb('the largest progressive, 4:2:0', () => flatProgressive(4000, 2500, '4:2:0', 2), GREY),
  bomb('the largest progressive, 4:4:4', () => flatProgressive(2500, 2000, '4:4:4', 2), GREY),
  bomb('a row more than the largest', () => flatBaseline(6000, 4001, '4:2:0'), tooLarge),
  bomb('a row more than the largest progressive', () => flatProgressive(2500, 2001, '4:4:4', 2), tooLarge),
  bomb('65,535x366', () => flatBaseline(65_535, 366, '4:2:0'), GREY),
  bomb('65,535x366, 4:1:0', () => flatBaseline(65_535, 366, '4:1:0'), GREY),
  bomb('366x65,535', () => flatBaseline(366, 65_535, '4:4:4'), GREY),
  bomb('1x65,535 progressive', () => flatProgressive(1, 65_535, '4:4:4', 2), GREY),
  bomb(
    'progressive, as many scans as are allowed over 10 megapixels',
    () => flatProgressive(4000, 2500, '4:2:0', 31),
    GREY,
  ),
  bomb('progressive, 1,000 scans', () => flatProgressive(4000, 2500, '4:2:0', 1000), invalid),
  bomb('progressive, 50,000 scans', () => flatProgressive(100, 100, '4:2:0', 50_000), invalid),
  repeated('900,000 Huffman tables', oneCode(0x03, 0), 900_000, 2),
  repeated(
    '280,000 quantisation tables',
    segment('DQT', 0xdb, [3, ...new Array<number>(64).fill(1)]),
    280_000,
    2,
  ),
  repeated('4.8 million empty comments', segment('COM', 0xfe, []), 4_800_000, 2),
  repeated('19 million fill bytes', { name: 'fill', bytes: Uint8Array.of(0xff) }, 19_000_000, 2),
  repeated('a million EXIF segments', segment('APP1', 0xe1, [0x45, 0x78, 0x69, 0x66, 0, 0]), 1_000_000, 1),
  bomb(
    'a restart marker before every MCU, and 9 million more after the last',
    () => {
      const parts = jpeg(picture({ restartInterval: 1 }));
      const many = new Uint8Array(18_000_000);
      for (let i = 0; i < many.length; i += 2) many.set([0xff, 0xd0], i);
      return concat([jpegFile(parts.slice(0, -1)), many, EOI.bytes]);
    },
    ok,
  ),
  bomb(
    'a height of 65,535 and a restart interval of 65,535',
    () => {
      const frame = shape(366, 65_535, '4:2:0');
      const file = flatBaseline(366, 65_535, '4:2:0');
      const header = jpegFile([SOI, segment('DRI', 0xdd, uint16(65_535))]);
      return frame.height > 0 ? concat([header, file.subarray(2)]) : file;
    },
    invalid,
  ),
];
