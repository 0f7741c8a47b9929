import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { mersenne } from 'pure-rand/generator/mersenne';
import { concat, latin1, uint16, uint32 } from './bytes.ts';
import { picture } from './jpeg-kinds.ts';
import { adobe, jfif, jpeg, jpegFile, segment } from './jpeg-writer.ts';
import { chunk, png, pngFile, type PngChunk } from './png-writer.ts';

/** A valid file that was damaged, and what may come of it. */
export interface Mutant {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** same: no picture but the one of the valid file; refused: none; any: one of the right size. */
  readonly may: 'same' | 'refused' | 'any';
  readonly original: Uint8Array;
}

/** Textures, so that there is data to damage. */
const wave = (x: number, y: number, c: number): number =>
  Math.round(127.5 + 127 * Math.sin((x * (c + 1)) / 7 + (y * y) / (90 + 40 * c)));
const SIZE = { width: 61, height: 43 };
const pngOf = (
  colorType: number,
  bitDepth: number,
  samples: number,
  interlaced: boolean,
): readonly PngChunk[] =>
  png(
    {
      ...{ ...SIZE, colorType, bitDepth, interlaced },
      pixel: (x, y) => Array.from({ length: samples }, (_, c) => (wave(x, y, c) * (2 ** bitDepth - 1)) >> 8),
    },
    colorType === 3
      ? [
          chunk(
            'PLTE',
            Array.from({ length: 48 }, (_, i) => i * 5),
          ),
          chunk('tRNS', [0, 99]),
        ]
      : [],
  );

const PNGS: readonly (readonly PngChunk[])[] = [
  pngOf(2, 8, 3, false),
  pngOf(3, 4, 1, false),
  pngOf(6, 16, 4, true),
  pngOf(0, 1, 1, true),
];

const textured = {
  ...SIZE,
  components: [0, 1, 2].map((c) => ({
    id: c + 1,
    h: c ? 1 : 2,
    v: c ? 1 : 2,
    sample: (x: number, y: number) => wave(x, y, c),
  })),
};
const orientation = latin1('Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0');
const JPEGS: readonly Uint8Array[] = [
  picture(textured),
  picture({ ...textured, restartInterval: 2, before: [jfif, segment('APP1', 0xe1, orientation)] }),
  picture({ ...textured, progressive: true }),
  picture({ ...textured, progressive: true, restartInterval: 3, separate: true }),
  picture({
    ...textured,
    before: [adobe(2)],
    components: [...textured.components, { id: 4, h: 2, v: 2, sample: (x, y) => wave(y, x, 1) }],
  }),
].map((options) => jpegFile(jpeg(options)));

export type Random = (below: number) => number;

/** The same mutant for the same seed and index. */
export function mutant(seed: number, index: number): Mutant {
  const generator = mersenne(Math.imul(seed, 0x9e3779b1) + index);
  const random: Random = (below) => (below > 0 ? uniformInt(generator, 0, below - 1) : 0);
  const kind = index % 3;
  if (kind === 0) {
    const original = pngFile(PNGS[random(PNGS.length)] ?? []);
    return { ...damage(original, random), may: 'same', original };
  }
  if (kind === 1) return repairedPng(PNGS[random(PNGS.length)] ?? [], random);
  const original = JPEGS[random(JPEGS.length)] ?? new Uint8Array();
  return { ...damage(original, random), may: 'any', original };
}

/** One chunk's payload damaged and its checksum put right, so that what lies behind it is reached. */
function repairedPng(chunks: readonly PngChunk[], random: Random): Mutant {
  const target = random(chunks.length - 1); // IEND has nothing to damage
  const { type = '', data = new Uint8Array() } = chunks[target] ?? {};
  const { name, bytes } = damage(data, random);
  const isSame = Buffer.compare(bytes, data) === 0;
  return {
    name: `${name} of ${type}, checksum repaired`,
    bytes: pngFile(chunks.map((one, i) => (i === target ? { type, data: bytes } : one))),
    may: isSame ? 'same' : type === 'IDAT' ? 'refused' : 'any',
    original: pngFile(chunks),
  };
}

const DAMAGES: Readonly<Record<string, (bytes: Uint8Array, random: Random) => Uint8Array>> = {
  'bits flipped': (bytes, random) => {
    const out = bytes.slice();
    for (let i = random(8); i >= 0; i--) {
      const where = at(out, random);
      out[where] = (out[where] ?? 0) ^ (1 << random(8));
    }
    return out;
  },
  'bytes set': (bytes, random) => {
    const out = bytes.slice();
    for (let i = random(4); i >= 0; i--) out[at(out, random)] = [0, 0xff, 0x80, random(256)][random(4)] ?? 0;
    return out;
  },
  'bytes inserted': (bytes, random) => {
    const where = at(bytes, random);
    const added = Array.from({ length: 1 + random(16) }, () => random(256));
    return concat([bytes.subarray(0, where), added, bytes.subarray(where)]);
  },
  'bytes removed': (bytes, random) => {
    const where = at(bytes, random);
    return concat([bytes.subarray(0, where), bytes.subarray(where + 1 + random(16))]);
  },
  'cut short': (bytes, random) => bytes.slice(0, at(bytes, random)),
  'blocks swapped': (bytes, random) => {
    const size = 1 + random(64);
    const [one, other] = [at(bytes, random), at(bytes, random)].sort((a, b) => a - b) as [number, number];
    const next = Math.min(one + size, other);
    return concat([
      bytes.subarray(0, one),
      bytes.subarray(other, other + size),
      bytes.subarray(next, other),
      bytes.subarray(one, next),
      bytes.subarray(other + size),
    ]);
  },
  'a part of it repeated': (bytes, random) => {
    const [from, to] = [at(bytes, random), at(bytes, random)];
    return concat([bytes.subarray(0, to), bytes.subarray(from, from + 1 + random(200)), bytes.subarray(to)]);
  },
  'a length changed': (bytes, random) => {
    const out = bytes.slice();
    const value = [0, 1, 2, 0xff, 0xffff, 0x7fffffff, 0xffffffff, random(2 ** 16)][random(8)] ?? 0;
    out.set((random(2) ? uint16(value) : uint32(value)).slice(0, out.length), lengthAt(out, random));
    return out;
  },
};

const NAMES = Object.keys(DAMAGES);

function damage(bytes: Uint8Array, random: Random): { readonly name: string; readonly bytes: Uint8Array } {
  const name = NAMES[random(NAMES.length)] ?? '';
  return { name, bytes: DAMAGES[name]?.(bytes, random) ?? bytes };
}

/** Half of the time near the beginning, where the headers are. */
const at = (bytes: Uint8Array, random: Random): number =>
  random(random(2) === 0 ? Math.min(bytes.length, 300) : bytes.length);

/** Where a length stands: after a JPEG's marker, before a PNG chunk's name; else anywhere. */
function lengthAt(bytes: Uint8Array, random: Random): number {
  const places = [...bytes.keys()].filter(
    (i) =>
      (bytes[i - 2] === 0xff && (bytes[i - 1] ?? 0) >= 0xc0) ||
      [0, 1, 2, 3].every((n) => /[A-Za-z]/.test(String.fromCharCode(bytes[i + 4 + n] ?? 0))),
  );
  return Math.min(places[random(places.length)] ?? random(bytes.length), Math.max(0, bytes.length - 4));
}
