import { hasText, uint16 } from '../bytes.ts';
import { invalidImage } from '../errors.ts';
import { BitReader, buildHuffmanTable, type HuffmanSpec, type HuffmanTable } from './huffman.ts';
import type { Orientation } from '../orientation.ts';
import {
  EOI,
  readExif,
  readFrame,
  readSegment,
  SOS,
  type Component,
  type Frame,
  type Segment,
} from './markers.ts';

export interface ScanComponent {
  /** Which of the frame's components. */
  readonly index: number;
  readonly component: Component;
  readonly dc: HuffmanTable | undefined;
  readonly ac: HuffmanTable | undefined;
}

/** One pass over some components, and the tables that were in force when it began. */
export interface Scan {
  readonly components: readonly ScanComponent[];
  /** MCUs between two restart markers; 0 for none. */
  readonly restartInterval: number;
  /** Ss, Se: the first and last coefficient, in zigzag order. */
  readonly spectralStart: number;
  readonly spectralEnd: number;
  /** Ah, Al: the bit at which the pass before stopped and at which this one does. */
  readonly approximationHigh: number;
  readonly approximationLow: number;
  readonly bits: BitReader;
}

export interface Jpeg {
  readonly frame: Frame;
  readonly scans: readonly Scan[];
  /** For each component, in zigzag order. */
  readonly quantization: readonly Uint16Array[]; // [components][64]
  readonly orientation: Orientation;
  readonly jfif: boolean;
  /** The Adobe segment's transform: 0 none, 1 YCbCr, 2 YCCK; null without such a segment. */
  readonly adobeTransform: number | null;
}

/** Encoders write some ten. Each scan costs a pass over every block, however short it is. */
const MAX_SCANS = 32;

/** Finds and checks all that is in the file but the entropy-coded data itself. */
export function readScans(bytes: Uint8Array): Jpeg {
  const tables = { dc: new Map<number, HuffmanSpec>(), ac: new Map<number, HuffmanSpec>() };
  const quantizationTables = new Map<number, Uint8Array>();
  const quantization: Uint16Array[] = [];
  const scans: Scan[] = [];
  let frame: Frame | null = null;
  let restartInterval = 0;
  let orientation: Orientation | null = null;
  let jfif = false;
  let adobeTransform: number | null = null;

  let segment = readSegment(bytes, 2);
  for (; segment.marker !== EOI; segment = readSegment(bytes, segment.end)) {
    const { marker, data, end } = segment;
    if (marker === 0xc4) readHuffmanTables(data, tables);
    else if (marker === 0xdb) readQuantizationTables(data, quantizationTables);
    else if (marker === 0xdd) restartInterval = uint16(data, 0);
    else if (marker === 0xe0) jfif ||= hasText(data, 'JFIF\0');
    else if (marker === 0xe1) orientation ??= readExif(segment);
    else if (marker === 0xee && hasText(data, 'Adobe') && data.length >= 12) adobeTransform = data[11] ?? 0;
    else if (marker === SOS) {
      if (!frame) throw invalidImage('The JPEG has data before its frame header.');
      if (scans.length === MAX_SCANS) throw invalidImage(`The JPEG has more than ${MAX_SCANS} scans.`);
      const dataEnd = endOfData(bytes, end);
      const bits = new BitReader(bytes, end, dataEnd);
      const scan = { ...readScanHeader(data, frame, tables), restartInterval, bits };
      for (const { index, component } of scan.components) {
        const table = quantizationTables.get(component.quantizationId);
        if (!table) throw invalidImage('The JPEG lacks a quantisation table that it uses.');
        quantization[index] ??= buildQuantizationTable(table);
      }
      scans.push(scan);
      segment = { ...segment, end: dataEnd };
    } else {
      const found = readFrame(segment);
      if (found && frame) throw invalidImage('The JPEG has two frame headers.');
      frame ??= found;
    }
  }
  if (!frame || scans.length === 0) throw invalidImage('The JPEG has no picture in it.');
  return { frame, scans, quantization, orientation: orientation ?? 1, jfif, adobeTransform };
}

/** Where the next marker stands that is no restart marker: a scan's data ends there. */
function endOfData(bytes: Uint8Array, start: number): number {
  for (let at = bytes.indexOf(0xff, start); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1] ?? 0;
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at;
  }
  throw invalidImage('The JPEG is cut short: it has no end marker.');
}

/** As the file has them, by number. They are built where a scan uses them: a file may bring a million. */
interface Tables {
  readonly dc: Map<number, HuffmanSpec>;
  readonly ac: Map<number, HuffmanSpec>;
}

function readHuffmanTables(data: Uint8Array, { dc, ac }: Tables): void {
  for (let at = 0; at < data.length;) {
    const counts = data.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const symbols = data.subarray(at + 17, at + 17 + total);
    const spec = data[at] ?? 0;
    if (counts.length < 16 || symbols.length < total || spec >> 4 > 1 || (spec & 15) > 3) {
      throw invalidImage('The JPEG has a damaged Huffman table.');
    }
    (spec >> 4 === 0 ? dc : ac).set(spec & 15, { counts, symbols });
    at += 17 + total;
  }
}

function readQuantizationTables(data: Uint8Array, tables: Map<number, Uint8Array>): void {
  for (let at = 0; at < data.length;) {
    const spec = data[at] ?? 0;
    const end = at + 1 + (spec >> 4 === 0 ? 64 : 128);
    if (spec >> 4 > 1 || (spec & 15) > 3 || end > data.length) {
      throw invalidImage('The JPEG has a damaged quantisation table.');
    }
    tables.set(spec & 15, data.subarray(at + 1, end));
    at = end;
  }
}

/** Of one byte a value or two. */
const buildQuantizationTable = (bytes: Uint8Array): Uint16Array =>
  Uint16Array.from({ length: 64 }, (_, i) => (bytes.length === 64 ? (bytes[i] ?? 0) : uint16(bytes, 2 * i)));

function readScanHeader(
  data: Segment['data'],
  frame: Frame,
  tables: Tables,
): Omit<Scan, 'restartInterval' | 'bits'> {
  const count = data[0] ?? 0;
  const damaged = invalidImage('The JPEG has a damaged scan header.');
  if (count < 1 || count > 4 || data.length !== 4 + 2 * count) throw damaged;
  const components = Array.from({ length: count }, (_, i) => {
    const index = frame.components.findIndex(({ id }) => id === data[1 + 2 * i]);
    const component = frame.components[index];
    if (!component) throw damaged;
    const selector = data[2 + 2 * i] ?? 0;
    const [dc, ac] = [tables.dc.get(selector >> 4), tables.ac.get(selector & 15)];
    return { index, component, dc: dc && buildHuffmanTable(dc), ac: ac && buildHuffmanTable(ac) };
  });
  if (new Set(components.map(({ index }) => index)).size !== count) throw damaged;
  const blocks = components.reduce((sum, { component: { h, v } }) => sum + h * v, 0);
  if (count > 1 && blocks > 10) throw damaged; // T.81, B.2.3

  const [spectralStart = 0, spectralEnd = 0, approximation = 0] = data.subarray(1 + 2 * count);
  return {
    components,
    spectralStart,
    spectralEnd,
    approximationHigh: approximation >> 4,
    approximationLow: approximation & 15,
  };
}
