import { readFileSync } from 'node:fs';
import jpeg from 'jpeg-js';
import { uniform } from './products.ts';

/**
 * A photo of any size as a baseline JPEG: the fixture scaled up, with some grain, without which a scaled
 * picture would be easier to decode than a camera's.
 */
export function photo(width: number, height: number): Uint8Array<ArrayBuffer> {
  const { data: from, width: w, height: h } = jpeg.decode(readFileSync('test/fixtures/photos/rocket.jpg'));
  const random = uniform(width);
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    const fy = (y * (h - 1)) / height;
    for (let x = 0; x < width; x++) {
      const fx = (x * (w - 1)) / width;
      const at = (Math.floor(fy) * w + Math.floor(fx)) * 4;
      const grain = 24 * (random() - 0.5);
      for (let c = 0; c < 3; c++) {
        const top = mix(from[at + c] ?? 0, from[at + 4 + c] ?? 0, fx % 1);
        const bottom = mix(from[at + 4 * w + c] ?? 0, from[at + 4 * w + 4 + c] ?? 0, fx % 1);
        data[(y * width + x) * 4 + c] = Math.max(0, Math.min(255, mix(top, bottom, fy % 1) + grain));
      }
    }
  }
  return Uint8Array.from(jpeg.encode({ data, width, height }, 90).data);
}

const mix = (a: number, b: number, t: number): number => a + (b - a) * t;

/** The same picture as another file, by a comment in it (marker FFFE): another hash, so another image to a cache. */
export function variant(file: Uint8Array, comment: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(comment);
  const length = text.length + 2;
  const segment = Uint8Array.of(0xff, 0xd8, 0xff, 0xfe, length >> 8, length & 255, ...text);
  const out = new Uint8Array(segment.length + file.length - 2);
  out.set(segment);
  out.set(file.subarray(2), segment.length);
  return out;
}
