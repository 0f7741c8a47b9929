import { describe, expect, it } from 'vitest';
import { readHeader } from '../../src/image/header.ts';
import { photo, pictureOf } from './fixtures.ts';

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

describe('readHeader', () => {
  it.each([
    ['coffee.png', { format: 'png', encoding: 'png', width: 600, height: 400, samples: 720_000 }],
    ['rocket.jpg', { format: 'jpeg', encoding: 'baseline_jpeg', width: 640, height: 427 }],
  ])('%s', (name, header) => {
    expect(readHeader(photo(name))).toMatchObject(header);
  });

  it('tells a progressive JPEG and an interlaced PNG', () => {
    expect(readHeader(pictureOf('jpeg progressive 4:2:0'))).toEqual({
      format: 'jpeg',
      encoding: 'progressive_jpeg',
      width: 41,
      height: 27,
      samples: 41 * 27 + 2 * 21 * 14,
    });
    expect(readHeader(pictureOf('png 5x5, type 2, interlaced')).encoding).toBe('interlaced_png');
  });

  it.each([
    ['GIF', 'GIF89a\x01\0\x01\0'],
    ['WebP', 'RIFF\x24\0\0\0WEBPVP8 '],
    ['AVIF', '\0\0\0\x20ftypavif\0\0\0\0'],
    ['HEIC', '\0\0\0\x20ftypheic\0\0\0\0'],
    ['BMP', 'BM\x46\0\0\0\0\0'],
    ['TIFF', 'II*\0\x08\0\0\0'],
    ['TIFF', 'MM\0*\0\0\0\x08'],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['SVG', '\xef\xbb\xbf<?xml version="1.0"?>\n<!-- hello -->\n<svg></svg>'],
    ['PDF', '%PDF-1.7\n'],
    ['JPEG XL', '\xff\x0a\0\0'],
  ])('refuses %s by name', (name, content) => {
    expect(() => readHeader(latin1(content))).toThrow(
      expect.objectContaining({
        code: 'unsupported_image',
        param: 'image',
        message: expect.stringContaining(name) as string,
      }),
    );
  });

  it.each([
    ['text', latin1('hello, world'), 'unsupported_image'],
    ['nothing', new Uint8Array(0), 'invalid_image'],
    ['the first bytes of a JPEG', Uint8Array.of(0xff, 0xd8, 0xff), 'invalid_image'],
    ['the signature of a PNG', latin1('\x89PNG\r\n\x1a\n'), 'invalid_image'],
  ])('refuses %s', (_, bytes, code) => {
    expect(() => readHeader(bytes)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    [0xc3, 'lossless'],
    [0xc9, 'arithmetic-coded'],
    [0xc5, 'hierarchical'],
  ])('refuses a JPEG with the frame header %i by name', (marker, name) => {
    const file = pictureOf('jpeg grey');
    file[frameAt(file) + 1] = marker;
    expect(() => readHeader(file)).toThrow(name);
  });

  it('refuses a 12-bit JPEG by name', () => {
    const file = pictureOf('jpeg grey');
    file[frameAt(file) + 4] = 12;
    expect(() => readHeader(file)).toThrow('12-bit');
  });
});

const frameAt = (file: Uint8Array): number =>
  file.findIndex((byte, i) => byte === 0xff && file[i + 1] === 0xc0);
