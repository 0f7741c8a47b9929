import { hasText, uint16 } from '../bytes.ts';
import { invalidImage, unsupportedImage } from '../errors.ts';
import { readOrientation, type Orientation } from '../orientation.ts';

/** One component (Y, Cb, Cr, K...) and its grid of 8x8 blocks. */
export interface Component {
  readonly id: number;
  /** Sampling factors, 1 to 4: blocks of an MCU across and down. */
  readonly h: number;
  readonly v: number;
  readonly quantizationId: number;
  /** Its own samples, without what fills up the last blocks. */
  readonly width: number;
  readonly height: number;
  /** Blocks that hold samples. */
  readonly blocksPerLine: number;
  readonly blockRows: number;
}

/** What a JPEG's frame header (SOF) says. */
export interface Frame {
  readonly progressive: boolean;
  readonly width: number;
  readonly height: number;
  readonly components: readonly Component[];
  readonly maxH: number;
  readonly maxV: number;
  readonly mcusPerLine: number;
  readonly mcuRows: number;
}

export interface Segment {
  /** The marker's second byte. */
  readonly marker: number;
  /** The payload, without marker and length. */
  readonly data: Uint8Array;
  /** Where the next marker, or a scan's data, begins. */
  readonly end: number;
}

export const SOS = 0xda;
export const EOI = 0xd9;

/** Frame headers of other kinds (T.81, table B.1). */
const REFUSED: Record<number, string> = {
  0xc3: 'lossless',
  0xc5: 'hierarchical',
  0xc6: 'hierarchical progressive',
  0xc7: 'hierarchical lossless',
  0xc9: 'arithmetic-coded',
  0xca: 'arithmetic-coded progressive',
  0xcb: 'arithmetic-coded lossless',
  0xcd: 'arithmetic-coded hierarchical',
  0xce: 'arithmetic-coded hierarchical',
  0xcf: 'arithmetic-coded hierarchical',
};

/** The marker segment at `at`, where fill bytes may stand before it. */
export function readSegment(bytes: Uint8Array, at: number): Segment {
  if (bytes[at] !== 0xff) throw invalidImage('The JPEG is damaged: a marker is missing.');
  while (bytes[at + 1] === 0xff) at++;
  const marker = bytes[at + 1] ?? 0;
  if (marker === EOI) return { marker, data: bytes.subarray(0, 0), end: at + 2 };
  const length = uint16(bytes, at + 2);
  const end = at + 2 + length;
  if (at + 4 > bytes.length || end > bytes.length) throw invalidImage('The JPEG is cut short in its header.');
  if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd8) || length < 2) {
    throw invalidImage('The JPEG is damaged: a marker stands where none may.');
  }
  return { marker, data: bytes.subarray(at + 4, end), end };
}

/** The frame header that a segment holds, or null where it is another segment. */
export function readFrame({ marker, data }: Segment): Frame | null {
  const refused = REFUSED[marker];
  if (refused) throw unsupportedImage(`This is a JPEG of a kind that is not read here: ${refused}.`);
  if (marker < 0xc0 || marker > 0xc2) return null;

  const count = data[5] ?? 0;
  if (data.length < 6 || data.length !== 6 + 3 * count) {
    throw invalidImage('The JPEG has a damaged frame header.');
  }
  if (data[0] !== 8) {
    throw unsupportedImage(`This is a ${data[0] ?? 0}-bit JPEG; only 8-bit ones are read here.`);
  }
  const height = uint16(data, 1);
  const width = uint16(data, 3);
  if (width === 0 || height === 0) throw invalidImage('The JPEG gives a width or height of zero.');
  if (![1, 3, 4].includes(count)) {
    throw unsupportedImage(`This JPEG has ${count} components; 1, 3 and 4 are read.`);
  }

  const raw = Array.from({ length: count }, (_, i) => {
    const at = 6 + 3 * i;
    const sampling = data[at + 1] ?? 0;
    // A single component is stored block by block, whatever its factors say (T.81, A.2.2).
    const [h, v] = count === 1 ? [1, 1] : [sampling >> 4, sampling & 15];
    return { id: data[at] ?? 0, h, v, quantizationId: data[at + 2] ?? 0 };
  });
  const maxH = Math.max(...raw.map(({ h }) => h));
  const maxV = Math.max(...raw.map(({ v }) => v));
  for (const { id, h, v, quantizationId } of raw) {
    const twice = raw.filter((other) => other.id === id).length > 1;
    if (h < 1 || h > 4 || v < 1 || v > 4 || quantizationId > 3 || twice) {
      throw invalidImage('The JPEG has impossible components in its frame header.');
    }
    if (maxH % h !== 0 || maxV % v !== 0) {
      throw unsupportedImage('This JPEG has fractional chroma sampling, which is not read here.');
    }
  }
  const components = raw.map((component) => {
    const ownWidth = Math.ceil((width * component.h) / maxH);
    const ownHeight = Math.ceil((height * component.v) / maxV);
    return {
      ...component,
      width: ownWidth,
      height: ownHeight,
      blocksPerLine: Math.ceil(ownWidth / 8),
      blockRows: Math.ceil(ownHeight / 8),
    };
  });
  const mcusPerLine = Math.ceil(width / (8 * maxH));
  const mcuRows = Math.ceil(height / (8 * maxV));
  return { progressive: marker === 0xc2, width, height, components, maxH, maxV, mcusPerLine, mcuRows };
}

/** The orientation in an APP1 segment with EXIF, or null where it is another segment. */
export function readExif({ marker, data }: Segment): Orientation | null {
  return marker === 0xe1 && hasText(data, 'Exif\0\0') ? readOrientation(data.subarray(6)) : null;
}

/** A JPEG's frame header, which comes before any data. */
export function readJpegFrame(bytes: Uint8Array): Frame {
  for (let at = 2; ;) {
    const segment = readSegment(bytes, at);
    if (segment.marker === SOS || segment.marker === EOI) {
      throw invalidImage('The JPEG has no frame header before its data.');
    }
    const frame = readFrame(segment);
    if (frame) return frame;
    at = segment.end;
  }
}
