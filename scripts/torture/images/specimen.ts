import type { ErrorCode } from '../../../src/errors.ts';
import type { Quadrants } from './test-picture.ts';

/** What must come of a file: the picture with these colours, or this error. */
export type Expected =
  { readonly colors: Quadrants; readonly tolerance: number } | { readonly code: ErrorCode };

/** A file of the corpus and what must come of it. */
export interface Specimen {
  readonly kind: string;
  readonly name: string;
  readonly bytes: () => Uint8Array;
  readonly expected: Expected;
  /** Judged in a process of its own, so that its memory is seen alone. */
  readonly alone?: true;
}

export const shows = (colors: Quadrants, tolerance: number): Expected => ({ colors, tolerance });
export const fails = (code: ErrorCode): Expected => ({ code });
export const invalid = fails('invalid_image');
export const tooLarge = fails('image_too_large');
export const unsupported = fails('unsupported_image');
