import { concat, latin1 } from './bytes.ts';
import { picture } from './jpeg-kinds.ts';
import { jfif, jpeg, jpegFile, segment } from './jpeg-writer.ts';
import { rgbPng } from './png-kinds.ts';
import { chunk, pngFile } from './png-writer.ts';
import { shows, type Specimen } from './specimen.ts';
import { COLORS, upright } from './test-picture.ts';

type Entry = readonly [tag: number, type: number, count: number, value: number];

/** A TIFF file of one directory, in either byte order. */
function tiff(
  littleEndian: boolean,
  entries: readonly Entry[],
  { directory = 8, next = 0 } = {},
): Uint8Array {
  const bytes = new Uint8Array(8 + 2 + 12 * entries.length + 4);
  const view = new DataView(bytes.buffer);
  bytes.set(latin1(littleEndian ? 'II*\0' : 'MM\0*'));
  view.setUint32(4, directory, littleEndian);
  view.setUint16(8, entries.length, littleEndian);
  entries.forEach(([tag, type, count, value], i) => {
    const at = 10 + 12 * i;
    view.setUint16(at, tag, littleEndian);
    view.setUint16(at + 2, type, littleEndian);
    view.setUint32(at + 4, count, littleEndian);
    if (type === 3) view.setUint16(at + 8, value, littleEndian);
    else view.setUint32(at + 8, value, littleEndian);
  });
  view.setUint32(10 + 12 * entries.length, next, littleEndian);
  return bytes;
}

const ORIENTATION = 0x0112;
const oriented = (value: number, littleEndian = true): Uint8Array =>
  tiff(littleEndian, [
    [0x010f, 2, 4, 0x61626364],
    [ORIENTATION, 3, 1, value],
  ]);

/** The TIFF, and the orientation that must be seen in it. */
const BLOCKS: readonly (readonly [string, Uint8Array, number])[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8].flatMap((value) =>
    [true, false].map(
      (little) => [`orientation ${value}, ${little ? 'II' : 'MM'}`, oriented(value, little), value] as const,
    ),
  ),
  ...[0, 9, 255, 65_535].map((value) => [`orientation ${value}`, oriented(value), 1] as const),
  ['orientation as a LONG', tiff(true, [[ORIENTATION, 4, 1, 6]]), 1],
  ['orientation as ASCII at a wild offset', tiff(true, [[ORIENTATION, 2, 2 ** 31, 0xfffffff0]]), 1],
  ['a directory that is its own next', tiff(true, [[ORIENTATION, 3, 1, 6]], { next: 8 }), 6],
  ['a directory in a loop, without an orientation', tiff(true, [[0x8769, 4, 1, 8]], { next: 8 }), 1],
  [
    'an EXIF directory that is the first one',
    tiff(true, [
      [0x8769, 4, 1, 8],
      [ORIENTATION, 3, 1, 3],
    ]),
    3,
  ],
  ['a directory beyond the end', tiff(true, [[ORIENTATION, 3, 1, 6]], { directory: 1000 }), 1],
  ['a directory at 4 GB', tiff(false, [[ORIENTATION, 3, 1, 6]], { directory: 2 ** 32 - 1 }), 1],
  ['a directory at the last byte', tiff(true, [[ORIENTATION, 3, 1, 6]], { directory: 25 }), 1],
  ['a directory in the header', tiff(true, [[ORIENTATION, 3, 1, 6]], { directory: 0 }), 1],
  ['65,535 entries, of which one is there', oriented(6).fill(0xff, 8, 10), 6],
  ['entries cut short', oriented(6).subarray(0, 30), 1],
  ['neither II nor MM', concat([latin1('XX'), oriented(6).subarray(2)]), 1],
  ['an empty block', new Uint8Array(0), 1],
  ['seven bytes', oriented(6).subarray(0, 7), 1],
];

export const exif: readonly Specimen[] = BLOCKS.flatMap(([name, block, orientation]) => {
  const app1 = segment('APP1', 0xe1, concat([latin1('Exif\0\0'), block]));
  const colors = upright(COLORS, orientation);
  return [
    {
      ...{ kind: 'EXIF', name: `JPEG: ${name}` },
      bytes: () => jpegFile(jpeg(picture({ before: [jfif, app1] }))),
      expected: shows(colors, 6),
    },
    {
      ...{ kind: 'EXIF', name: `PNG: ${name}` },
      bytes: () => pngFile(rgbPng([chunk('eXIf', block)])),
      expected: shows(colors, 1),
    },
  ];
});
