import { GlimpseError } from '../errors.ts';

const param = 'image';

/** The bytes name a known format, but are damaged, cut short or contradict themselves. */
export const invalidImage = (message: string, cause?: unknown): GlimpseError =>
  new GlimpseError('invalid_image', `${message} Send a complete JPEG or PNG file.`, { param, cause });

/** The bytes are, or may be, a picture, of a kind that is not read here. */
export const unsupportedImage = (what: string): GlimpseError =>
  new GlimpseError('unsupported_image', `${what} Send a JPEG or a PNG.`, { param });

export const imageTooLarge = (message: string): GlimpseError =>
  new GlimpseError('image_too_large', message, { param });
