import { concat, latin1, uint16 } from './bytes.ts';
import { picture } from './jpeg-kinds.ts';
import {
  adobe,
  DHT,
  DQT,
  EOI,
  jfif,
  jpeg,
  jpegFile,
  segment,
  sof,
  SOI,
  sos,
  type JpegPart,
} from './jpeg-writer.ts';
import { invalid, shows, tooLarge, unsupported, type Expected, type Specimen } from './specimen.ts';
import { COLORS } from './test-picture.ts';

const PICTURE = picture({ restartInterval: 3, before: [jfif, segment('COM', 0xfe, latin1('a comment'))] });
const PARTS = jpeg(PICTURE);
const ok = shows(COLORS, 6);

const specimen = (name: string, bytes: () => Uint8Array, expected: Expected): Specimen => ({
  kind: 'JPEG, damaged',
  name,
  bytes,
  expected,
});

/** What becomes of the file without the part, with it twice, and with its payload empty. */
const OUTCOMES: Readonly<Record<string, readonly [Expected, Expected, Expected]>> = {
  SOI: [unsupported, invalid, invalid],
  APP0: [ok, ok, ok],
  COM: [ok, ok, ok],
  DQT: [invalid, ok, invalid],
  SOF: [invalid, invalid, invalid],
  'DHT of DC': [invalid, ok, invalid],
  'DHT of AC': [invalid, ok, invalid],
  DRI: [invalid, ok, invalid],
  SOS: [invalid, invalid, invalid],
  data: [invalid, ok, invalid],
  EOI: [invalid, ok, invalid],
};

const damagedParts = PARTS.flatMap((part, i): readonly Specimen[] => {
  const { name, bytes } = part;
  const [missing, doubled, emptied] = OUTCOMES[name] ?? [invalid, invalid, invalid];
  const withBytes = (...own: readonly ArrayLike<number>[]): Uint8Array =>
    concat([jpegFile(PARTS.slice(0, i)), ...own, jpegFile(PARTS.slice(i + 1))]);
  const general = [
    specimen(`${name} missing`, () => withBytes(), missing),
    specimen(`${name} doubled`, () => withBytes(bytes, bytes), doubled),
    specimen(
      `file ends in ${name}`,
      () => concat([jpegFile(PARTS.slice(0, i)), bytes.subarray(0, bytes.length >> 1)]),
      name === 'SOI' ? unsupported : invalid,
    ),
  ];
  if (['SOI', 'EOI', 'data'].includes(name)) return general;
  return [
    ...general,
    specimen(`${name} emptied`, () => withBytes(bytes.subarray(0, 2), [0, 2]), emptied),
    ...[0, 1, bytes.length - 3, bytes.length - 1, 0xffff].map((length) =>
      specimen(
        `${name} with a length of ${length}`,
        () => withBytes(bytes.subarray(0, 2), uint16(length), bytes.subarray(4)),
        invalid,
      ),
    ),
    specimen(
      `${name} a byte shorter, and saying so`,
      () => withBytes(bytes.subarray(0, 2), uint16(bytes.length - 3), bytes.subarray(4, -1)),
      missing,
    ),
    specimen(`${name} renamed to a comment`, () => withBytes([0xff, 0xfe], bytes.subarray(2)), missing),
    ...[0x00, 0x02, 0xd0, 0xd8].map((marker) =>
      specimen(
        `${name} renamed to ${marker.toString(16)}`,
        () => withBytes([0xff, marker], bytes.subarray(2)),
        invalid,
      ),
    ),
  ];
});

/** The file with another frame header, or another part of that name. */
const withPart = (name: string, part: JpegPart, expected: Expected): Specimen =>
  specimen(name, () => jpegFile(PARTS.map((one) => (one.name === part.name ? part : one))), expected);

const frame = (name: string, fields: readonly number[], expected: Expected, marker = 0xc0): Specimen =>
  withPart(name, segment('SOF', marker, fields), expected);
const SIZE = [...uint16(64), ...uint16(96)];

const frames: readonly Specimen[] = [
  ...[0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf].map((marker) =>
    withPart(
      `frame header ${marker.toString(16)} (lossless, hierarchical or arithmetic)`,
      sof(PICTURE, marker),
      unsupported,
    ),
  ),
  ...[0, 2, 12, 16].map((bits) => withPart(`${bits} bits`, sof(PICTURE, 0xc1, bits), unsupported)),
  frame('no components', [8, ...SIZE, 0], unsupported),
  frame('2 components', [8, ...SIZE, 2, 1, 0x11, 0, 2, 0x11, 0], unsupported),
  frame('5 components', [8, ...SIZE, 5, ...[1, 2, 3, 4, 5].flatMap((id) => [id, 0x11, 0])], unsupported),
  frame(
    '255 components, of which 3 are there',
    [8, ...SIZE, 255, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0],
    invalid,
  ),
  ...[0x00, 0x01, 0x10, 0x51, 0x15, 0xff].map((sampling) =>
    frame(
      `sampling ${sampling.toString(16)}`,
      [8, ...SIZE, 3, 1, sampling, 0, 2, 0x11, 0, 3, 0x11, 0],
      invalid,
    ),
  ),
  frame('sampling of 3 to 2', [8, ...SIZE, 3, 1, 0x33, 0, 2, 0x22, 0, 3, 0x11, 0], unsupported),
  frame('more than 10 blocks an MCU', [8, ...SIZE, 3, 1, 0x44, 0, 2, 0x44, 0, 3, 0x44, 0], invalid),
  frame('a component twice', [8, ...SIZE, 3, 1, 0x22, 0, 1, 0x11, 0, 3, 0x11, 0], invalid),
  frame(
    'a quantisation table that is not there',
    [8, ...SIZE, 3, 1, 0x22, 1, 2, 0x11, 0, 3, 0x11, 0],
    invalid,
  ),
  frame(
    'a quantisation table that cannot be',
    [8, ...SIZE, 3, 1, 0x22, 200, 2, 0x11, 0, 3, 0x11, 0],
    invalid,
  ),
  ...[
    [0, 0],
    [0, 64],
    [96, 0], // a height told by DNL after the first scan: not read
    [96, 65],
    [96, 128],
    [97, 64],
  ].map(([width = 0, height = 0]) =>
    withPart(`${width}x${height}`, sof({ ...PICTURE, width, height }, 0xc0), invalid),
  ),
  ...[
    [30_000, 30_000],
    [65_535, 65_535],
  ].map(([width = 0, height = 0]) =>
    withPart(`${width}x${height}`, sof({ ...PICTURE, width, height }, 0xc0), tooLarge),
  ),
];

const script = { components: [0, 1, 2], start: 0, end: 63, high: 0, low: 0 };
const scanHeader = (name: string, fields: readonly number[]): Specimen =>
  withPart(`scan of ${name}`, segment('SOS', 0xda, fields), invalid);
const scans: readonly Specimen[] = [
  scanHeader('no components', [0, 0, 63, 0]),
  scanHeader('5 components', [5, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 0, 63, 0]),
  scanHeader('an unknown component', [3, 1, 0, 2, 0, 9, 0, 0, 63, 0]),
  scanHeader('one component twice', [3, 1, 0, 2, 0, 2, 0, 0, 63, 0]),
  scanHeader('two components of three', [2, 1, 0, 2, 0, 0, 63, 0]),
  scanHeader('tables that are not there', [3, 1, 0x11, 2, 0x11, 3, 0x11, 0, 63, 0]),
  scanHeader('tables that cannot be', [3, 1, 0xff, 2, 0, 3, 0, 0, 63, 0]),
];

const PROGRESSIVE = picture({ progressive: true });
const FIRST = sos(PROGRESSIVE.components, { ...script, end: 0 });
const progressiveScan = (name: string, fields: Partial<typeof script>): Specimen =>
  specimen(
    `progressive scan: ${name}`,
    () => {
      const parts = jpeg(PROGRESSIVE);
      const first = parts.findIndex((part) => part.name === 'SOS');
      const header = sos(PROGRESSIVE.components, { ...script, ...fields });
      return jpegFile(parts.map((part, i) => (i === first ? header : part)));
    },
    invalid,
  );
const progressive: readonly Specimen[] = [
  progressiveScan('DC and AC in one', { end: 63 }),
  progressiveScan('AC before DC', { components: [0], start: 1, end: 5 }),
  progressiveScan('AC of all components', { start: 1, end: 5 }),
  progressiveScan('a band that ends before it begins', { components: [0], start: 6, end: 2 }),
  progressiveScan('a band beyond the 64th value', { components: [0], start: 1, end: 64 }),
  progressiveScan('a shift of 15', { end: 0, low: 15 }),
  progressiveScan('a refinement that skips a bit', { end: 0, high: 3, low: 1 }),
  specimen(
    'progressive without its first scan',
    () => {
      const parts = jpeg(PROGRESSIVE);
      const at = parts.findIndex(({ name }) => name === 'SOS');
      return jpegFile([...parts.slice(0, at), ...parts.slice(at + 2)]);
    },
    invalid,
  ),
  specimen(
    'progressive data in a baseline frame',
    () => jpegFile(jpeg(PROGRESSIVE).map((part) => (part.name === 'SOF' ? sof(PROGRESSIVE, 0xc0) : part))),
    invalid,
  ),
  specimen(
    'an empty progressive scan',
    () => jpegFile([SOI, DQT, sof(PROGRESSIVE, 0xc2), ...DHT, FIRST, EOI]),
    invalid,
  ),
];

const codes = (counts: readonly number[], symbols: readonly number[]): readonly number[] => [
  0,
  ...counts,
  ...new Array<number>(16 - counts.length).fill(0),
  ...symbols,
];
const tables: readonly Specimen[] = [
  withPart('Huffman codes: three of one bit', segment('DHT of DC', 0xc4, codes([3], [0, 1, 2])), invalid),
  withPart(
    'Huffman codes: more symbols than are there',
    segment('DHT of DC', 0xc4, codes([0, 0, 0, 0, 0, 0, 0, 255], [1])),
    invalid,
  ),
  withPart('Huffman codes: none', segment('DHT of DC', 0xc4, codes([], [])), invalid),
  withPart('Huffman codes: a DC size of 16', segment('DHT of DC', 0xc4, codes([1], [16])), invalid),
  withPart('Huffman table 9', segment('DHT of DC', 0xc4, [9, ...codes([1], [0]).slice(1)]), invalid),
  withPart('Huffman class 2', segment('DHT of DC', 0xc4, [0x20, ...codes([1], [0]).slice(1)]), invalid),
  withPart(
    'quantisation table of 3 bytes a value',
    segment('DQT', 0xdb, [0x20, ...new Array<number>(192).fill(4)]),
    invalid,
  ),
  withPart('quantisation table 9', segment('DQT', 0xdb, [9, ...new Array<number>(64).fill(4)]), invalid),
  withPart('a restart interval that is not kept', segment('DRI', 0xdd, [0, 7]), invalid),
  withPart(
    'an Adobe segment cut short is passed over',
    { ...adobe(0), name: 'COM', bytes: segment('COM', 0xee, latin1('Adobe')).bytes },
    ok,
  ),
];

const data = PARTS.find(({ name }) => name === 'data')?.bytes ?? new Uint8Array();
const withScanData = (name: string, bytes: Uint8Array, expected: Expected): Specimen =>
  withPart(`data ${name}`, { name: 'data', bytes }, expected);
const firstRestart = data.findIndex((byte, i) => byte === 0xff && (data[i + 1] ?? 0) >= 0xd0);
const entropy: readonly Specimen[] = [
  ...[0.25, 0.5, 0.9].map((part) =>
    withScanData(`${100 * part} % there, with an end marker`, data.subarray(0, data.length * part), invalid),
  ),
  withScanData('of ones', new Uint8Array(data.length).fill(0xfe), invalid),
  withScanData('with restart 3 in place of 0', data.with(firstRestart + 1, 0xd3), invalid),
  withScanData(
    'without its first restart marker',
    concat([data.subarray(0, firstRestart), data.subarray(firstRestart + 2)]),
    invalid,
  ),
  withScanData(
    'with a restart marker twice',
    concat([data.subarray(0, firstRestart), [0xff, 0xd0], data.subarray(firstRestart)]),
    invalid,
  ),
  withScanData(
    'with 1,000 fill bytes before a restart marker',
    concat([data.subarray(0, firstRestart), new Uint8Array(1000).fill(0xff), data.subarray(firstRestart)]),
    ok,
  ),
  specimen('rubbish after the end', () => concat([jpegFile(PARTS), new Uint8Array(100_000).fill(0xff)]), ok),
  specimen('another JPEG after the end', () => concat([jpegFile(PARTS), jpegFile(PARTS)]), ok),
  specimen(
    'zeros before the end marker',
    () => concat([jpegFile(PARTS.slice(0, -1)), new Uint8Array(50), EOI.bytes]),
    ok,
  ),
];

export const jpegDamage: readonly Specimen[] = [
  ...damagedParts,
  ...frames,
  ...scans,
  ...progressive,
  ...tables,
  ...entropy,
];
