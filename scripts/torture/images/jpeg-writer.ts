import { concat, latin1, uint16 } from './bytes.ts';
import { AC, DC } from './jpeg-bits.ts';
import { writeScan, type Blocks, type ScanScript } from './jpeg-scans.ts';

/** One piece of a JPEG: a marker with its segment, or the data of a scan. */
export interface JpegPart {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface JpegComponent {
  readonly id: number;
  readonly h: number;
  readonly v: number;
  /** Its value at a pixel of the picture. */
  readonly sample: (x: number, y: number) => number;
}

export interface JpegPicture {
  readonly width: number;
  readonly height: number;
  readonly components: readonly JpegComponent[];
  readonly progressive?: boolean;
  /** Each component in a scan of its own. */
  readonly separate?: boolean;
  readonly restartInterval?: number;
  /** After SOI: JFIF, EXIF, Adobe... */
  readonly before?: readonly JpegPart[];
}

export const segment = (name: string, marker: number, payload: ArrayLike<number>): JpegPart => ({
  name,
  bytes: concat([[0xff, marker], uint16(payload.length + 2), payload]),
});

export const jfif = segment('APP0', 0xe0, latin1('JFIF\0\x01\x01\0\0\x01\0\x01\0\0'));
export const adobe = (transform: number): JpegPart =>
  segment('APP14', 0xee, [...latin1('Adobe'), 0, 100, 0, 0, 0, 0, transform]);
export const SOI: JpegPart = { name: 'SOI', bytes: Uint8Array.of(0xff, 0xd8) };
export const EOI: JpegPart = { name: 'EOI', bytes: Uint8Array.of(0xff, 0xd9) };
export const DHT: readonly JpegPart[] = [
  segment('DHT of DC', 0xc4, [0x00, ...DC.counts, ...DC.symbols]),
  segment('DHT of AC', 0xc4, [0x10, ...AC.counts, ...AC.symbols]),
];

/** Every value is quantised by this. */
const STEP = 4;
export const DQT = segment('DQT', 0xdb, [0, ...new Array<number>(64).fill(STEP)]);

export const jpegFile = (parts: readonly JpegPart[]): Uint8Array => concat(parts.map(({ bytes }) => bytes));

export function sof(
  { width, height, components }: Pick<JpegPicture, 'width' | 'height' | 'components'>,
  marker: number,
  precision = 8,
): JpegPart {
  const fields = components.flatMap(({ id, h, v }) => [id, (h << 4) | v, 0]);
  const size = [...uint16(height), ...uint16(width)];
  return segment('SOF', marker, [precision, ...size, components.length, ...fields]);
}

/** The picture as a JPEG, in its parts. */
export function jpeg(picture: JpegPicture): readonly JpegPart[] {
  const { components, progressive = false, restartInterval = 0 } = picture;
  const all = components.map((component) => blocksOf(component, picture));
  const scans = scripts(components.length, progressive, picture.separate ?? false).flatMap((script) => [
    sos(components, script),
    { name: 'data', bytes: writeScan(all, script, progressive, restartInterval) },
  ]);
  return [
    SOI,
    ...(picture.before ?? [jfif]),
    DQT,
    sof(picture, progressive ? 0xc2 : 0xc0),
    ...DHT,
    ...(restartInterval > 0 ? [segment('DRI', 0xdd, uint16(restartInterval))] : []),
    ...scans,
    EOI,
  ];
}

function scripts(count: number, progressive: boolean, separate: boolean): readonly ScanScript[] {
  const each = Array.from({ length: count }, (_, index) => [index]);
  const dc = separate ? each : [each.flat()];
  if (!progressive) return dc.map((components) => ({ components, start: 0, end: 63, high: 0, low: 0 }));
  return [
    ...dc.map((components) => ({ components, start: 0, end: 0, high: 0, low: 1 })),
    ...each.map((components) => ({ components, start: 1, end: 5, high: 0, low: 1 })),
    ...each.map((components) => ({ components, start: 6, end: 63, high: 0, low: 1 })),
    ...each.map((components) => ({ components, start: 1, end: 63, high: 1, low: 0 })),
    ...dc.map((components) => ({ components, start: 0, end: 0, high: 1, low: 0 })),
  ];
}

export function sos(
  components: readonly Pick<JpegComponent, 'id'>[],
  { components: wanted, start, end, high, low }: ScanScript,
): JpegPart {
  const selectors = wanted.flatMap((index) => [components[index]?.id ?? 0, 0x00]);
  return segment('SOS', 0xda, [wanted.length, ...selectors, start, end, (high << 4) | low]);
}

function blocksOf({ h, v, sample }: JpegComponent, { width, height, components }: JpegPicture): Blocks {
  const maxH = Math.max(...components.map((component) => component.h));
  const maxV = Math.max(...components.map((component) => component.v));
  const [across, down] = [maxH / h, maxV / v];
  const at = (x: number, y: number): number =>
    sample(
      Math.min(width - 1, Math.floor((x + 0.5) * across)),
      Math.min(height - 1, Math.floor((y + 0.5) * down)),
    );
  const blocks = Array.from({ length: Math.ceil(height / (8 * maxV)) * v }, (_, row) =>
    Array.from({ length: Math.ceil(width / (8 * maxH)) * h }, (_, column) =>
      transform((x, y) => at(column * 8 + x, row * 8 + y)),
    ),
  );
  const rows = Math.ceil(height / down / 8);
  const columns = Math.ceil(width / across / 8);
  return components.length === 1 ? { h: 1, v: 1, blocks, rows, columns } : { h, v, blocks, rows, columns };
}

const ZIGZAG = Array.from({ length: 64 }, (_, i) => [i >> 3, i & 7] as const).sort(
  ([u1, v1], [u2, v2]) => u1 + v1 - u2 - v2 || ((u1 + v1) % 2 === 0 ? u2 - u1 : u1 - u2),
);

const COSINE = Array.from({ length: 8 }, (_, u) =>
  Array.from(
    { length: 8 },
    (_, x) => Math.cos(((2 * x + 1) * u * Math.PI) / 16) * (u ? 0.5 : Math.SQRT1_2 / 2),
  ),
);

/** The forward cosine transform (T.81, A.3.3), quantised, in zigzag order. */
function transform(sample: (x: number, y: number) => number): Int16Array {
  const columns = COSINE.map((wave) =>
    Array.from({ length: 8 }, (_, y) => wave.reduce((sum, c, x) => sum + c * (sample(x, y) - 128), 0)),
  ); // [horizontal frequency, y]
  return Int16Array.from(ZIGZAG, ([vertical, horizontal]) =>
    Math.round(
      (COSINE[vertical] ?? []).reduce((sum, c, y) => sum + c * (columns[horizontal]?.[y] ?? 0), 0) / STEP,
    ),
  );
}
