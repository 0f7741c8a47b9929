import { concat, latin1 } from './bytes.ts';
import { picture } from './jpeg-kinds.ts';
import { jfif, jpeg, jpegFile, segment, SOI } from './jpeg-writer.ts';
import { rgbPng } from './png-kinds.ts';
import { chunk, pngFile } from './png-writer.ts';
import { invalid, shows, unsupported, type Expected, type Specimen } from './specimen.ts';
import { COLORS } from './test-picture.ts';

const specimen =
  (kind: string) =>
  (name: string, bytes: () => Uint8Array, expected: Expected): Specimen => ({ kind, name, bytes, expected });

/** How files of other types begin; what follows is of no account. */
export const OTHER_TYPES: readonly (readonly [string, string])[] = [
  ['GIF', 'GIF87a\x01\0\x01\0\x80\0\0'],
  ['GIF', 'GIF89a\x01\0\x01\0\x80\0\0'],
  ['WebP', 'RIFF\x24\0\0\0WEBPVP8 '],
  ['WebP', 'RIFF\x24\0\0\0WEBPVP8L'],
  ['AVIF', '\0\0\0\x20ftypavif\0\0\0\0avifmif1'],
  ['AVIF', '\0\0\0\x20ftypavis\0\0\0\0'],
  ['HEIC', '\0\0\0\x18ftypheic\0\0\0\0mif1heic'],
  ['HEIC', '\0\0\0\x18ftypmif1\0\0\0\0mif1heic'],
  ['BMP', 'BM\x46\0\0\0\0\0\0\0\x36\0\0\0'],
  ['TIFF', 'II*\0\x08\0\0\0'],
  ['TIFF', 'MM\0*\0\0\0\x08'],
  ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'],
  ['SVG', '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>'],
  ['PDF', '%PDF-1.7\n%\xe2\xe3\xcf\xd3\n'],
];

const refused = OTHER_TYPES.map(([name, start], i) =>
  specimen('Other types')(`${name} (${i})`, () => concat([latin1(start), new Uint8Array(200)]), unsupported),
);
const unknown = [
  ['a ZIP', 'PK\x03\x04'],
  ['HTML', '<!doctype html><title>x</title>'],
  ['JSON', '{"image": "x"}'],
  ['a program', '\x7fELF\x02\x01\x01'],
  ['zeros', '\0'.repeat(64)],
  ['one byte', '\xff'],
] as const;
const rest = unknown.map(([name, start]) => specimen('Other types')(name, () => latin1(start), unsupported));
const empty = specimen('Other types')('nothing', () => new Uint8Array(0), invalid);

const ok = shows(COLORS, 6);
const both = specimen('Files that are both');
const aJpeg = (): Uint8Array => jpegFile(jpeg(picture()));
const aPng = (): Uint8Array => pngFile(rgbPng());
const inComment = (content: Uint8Array): Uint8Array =>
  jpegFile(jpeg(picture({ before: [jfif, segment('COM', 0xfe, content)] })));
const polyglots: readonly Specimen[] = [
  both('a JPEG, then a PNG', () => concat([aJpeg(), aPng()]), ok),
  both('a PNG, then a JPEG', () => concat([aPng(), aJpeg()]), ok),
  both('a JPEG in a PNG', () => pngFile(rgbPng([chunk('tEXt', aJpeg())])), ok),
  both('a PNG in a JPEG', () => inComment(aPng()), ok),
  both('a JPEG in the comment of a JPEG', () => inComment(aJpeg()), ok),
  both(
    'a JPEG in the EXIF of a JPEG, as a thumbnail',
    () =>
      jpegFile(
        jpeg(
          picture({
            before: [segment('APP1', 0xe1, concat([latin1('Exif\0\0MM\0*\0\0\0\x08\0\0'), aJpeg()]))],
          }),
        ),
      ),
    ok,
  ),
  both('a PDF in a JPEG', () => inComment(latin1('\n%PDF-1.7\n1 0 obj\n')), ok),
  both('a page and a script in a JPEG', () => inComment(latin1('--><script>alert(1)</script>*/=1;')), ok),
  both('a ZIP after a PNG', () => concat([aPng(), latin1('PK\x05\x06'), new Uint8Array(18)]), ok),
  both('a GIF whose rest is a JPEG', () => concat([latin1('GIF89a'), aJpeg()]), unsupported),
  both('the signature of a PNG, then a JPEG', () => concat([aPng().subarray(0, 8), aJpeg()]), invalid),
  both('the beginning of a JPEG, then a PNG', () => concat([SOI.bytes, [0xff], aPng()]), invalid),
  both('a line before a JPEG', () => concat([latin1('\r\n'), aJpeg()]), unsupported),
];

/** Files that ended or hung the libraries, from the reports. */
const death = specimen('Known deaths');
const bytesOf = (text: string, encoding: 'hex' | 'base64') => () =>
  new Uint8Array(Buffer.from(text, encoding));
const deaths: readonly Specimen[] = [
  death(
    'jpeg-js issue 105, CVE-2022-25851: no components, an endless loop',
    bytesOf('ffd8ffc1f151d800ff51d800ffdaffde', 'hex'),
    invalid,
  ),
  death(
    'no components in a frame header that is whole',
    bytesOf('ffd8ffc00008080010001000ffda00080000ffd9', 'hex'),
    unsupported,
  ),
  death(
    'jpeg-js issue 53: 40 gigapixels',
    bytesOf(
      'ffd8ffc09dfdb0ffff0e5296bd7fbbc4f9579096bd7fbbfc0e80d50000ffff36fa400100236701bf73ffaf8003a57f097f5e00' +
        '0000008023c4f9579096bd7fbb008000001500b34e8c018fda5212',
      'hex',
    ),
    invalid,
  ),
  death(
    'jpeg-js issue 58: 21 bytes, out of memory',
    bytesOf('/9j/wSHEb88b4GDuAxgXZDQ5YzQx', 'base64'),
    invalid,
  ),
  death('jpeg-js issue 58: the second', bytesOf('/9j/wK1WotT/4YD//3/a7H322Q==', 'base64'), invalid),
  death(
    'upng-js issue 13: not a PNG, an endless loop',
    () => concat([[0x89, 0x50, 0x4e, 0x47], aJpeg()]),
    unsupported,
  ),
  death('upng-js: nothing after the header', () => pngFile(rgbPng().slice(0, 1)), invalid),
  death(
    'upng-js issue 70: an inflater that never ends',
    () =>
      pngFile(
        rgbPng().map((one) =>
          one.type === 'IDAT' ? chunk('IDAT', [0x78, 0x9c, 0x04, ...new Array<number>(40).fill(0)]) : one,
        ),
      ),
    invalid,
  ),
  death(
    'upng-js: allocates what IHDR says',
    () =>
      pngFile(
        rgbPng().map((one) =>
          one.type === 'IHDR' ? chunk('IHDR', [0, 0, 0x09, 0xc4, 0, 0, 0x07, 0x08, 16, 6, 0, 0, 0]) : one,
        ),
      ),
    invalid,
  ),
  death(
    'upng-js: throws a string for an unknown chunk',
    () => pngFile(rgbPng([chunk('XXXX', [1, 2, 3])])),
    invalid,
  ),
  death(
    'pngjs issue 294: a short IHDR',
    () =>
      pngFile(rgbPng().map((one) => (one.type === 'IHDR' ? chunk('IHDR', one.data.subarray(0, 4)) : one))),
    invalid,
  ),
];

export const others: readonly Specimen[] = [...refused, ...rest, empty, ...polyglots, ...deaths];
