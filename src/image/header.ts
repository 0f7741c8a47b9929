import { hasText } from './bytes.ts';
import { invalidImage, unsupportedImage } from './errors.ts';
import { readJpegFrame } from './jpeg/markers.ts';
import { readPngHeader, SAMPLES } from './png/chunks.ts';

/** What the first bytes of an image say of it. */
export interface ImageHeader {
  readonly format: 'jpeg' | 'png';
  readonly encoding: 'baseline_jpeg' | 'progressive_jpeg' | 'png' | 'interlaced_png';
  /** In pixels, as stored: an EXIF orientation may swap the two. */
  readonly width: number;
  readonly height: number;
  /** Values of all its components: three a pixel without chroma subsampling, half as many at 4:2:0. One of 16 bits counts twice. */
  readonly samples: number;
}

/**
 * Tells an image's type by its content, and its size. Allocates nothing.
 * @throws unsupported_image for other types, by name; invalid_image for a damaged header or no image.
 */
export function readHeader(bytes: Uint8Array): ImageHeader {
  if (bytes.length === 0) throw invalidImage('The image is empty.');
  if (hasText(bytes, '\xff\xd8\xff')) {
    const { width, height, progressive, components } = readJpegFrame(bytes);
    const samples = components.reduce((sum, component) => sum + component.width * component.height, 0);
    return {
      format: 'jpeg',
      encoding: progressive ? 'progressive_jpeg' : 'baseline_jpeg',
      width,
      height,
      samples,
    };
  }
  if (hasText(bytes, '\x89PNG\r\n\x1a\n')) {
    const { width, height, interlaced, colorType, bitDepth } = readPngHeader(bytes);
    const samples = width * height * SAMPLES[colorType] * (bitDepth === 16 ? 2 : 1);
    return { format: 'png', encoding: interlaced ? 'interlaced_png' : 'png', width, height, samples };
  }
  const other = otherFormat(bytes);
  if (other) throw unsupportedImage(`This is a ${other} file, which is not read here.`);
  throw unsupportedImage('This is not an image of a kind that is known here.');
}

/** The name of a format that people take for an image, or null. */
function otherFormat(bytes: Uint8Array): string | null {
  const at = (offset: number, ...texts: string[]): boolean =>
    texts.some((text) => hasText(bytes, text, offset));
  if (at(0, 'GIF87a', 'GIF89a')) return 'GIF';
  if (at(0, 'RIFF') && at(8, 'WEBP')) return 'WebP';
  if (at(4, 'ftyp')) {
    if (at(8, 'avif', 'avis')) return 'AVIF';
    if (at(8, 'heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'mif1', 'msf1')) return 'HEIC';
    return 'video (ISO media)';
  }
  if (at(0, 'BM')) return 'BMP';
  if (at(0, 'II*\0', 'MM\0*', 'II+\0', 'MM\0+')) return 'TIFF';
  if (at(0, '%PDF-')) return 'PDF';
  if (at(0, '\0\0\x01\0')) return 'ICO';
  if (at(0, '\xff\x0a', '\0\0\0\x0cJXL ')) return 'JPEG XL';
  if (at(0, '\0\0\0\x0cjP  ', '\xff\x4f\xff\x51')) return 'JPEG 2000';
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 1024)).replace(/^\xef\xbb\xbf/, '');
  if (/^\s*(<\?xml[^]*?|<!--[^]*?|<!DOCTYPE\s+)?<?svg[\s>]/i.test(start)) return 'SVG';
  return null;
}
