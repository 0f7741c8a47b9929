import { GlimpseError } from '../../../src/errors.ts';
import { decodeJpeg } from '../../../src/image/jpeg/decode.ts';
import { readHeader } from '../../../src/image/header.ts';
import { DEFAULT_LIMITS } from '../../../src/image/limits.ts';
import { decodePng } from '../../../src/image/png/decode.ts';
import { preprocessImage } from '../../../src/image/preprocess.ts';
import { preprocessorConfigSchema } from '../../../src/image/preprocessor-config.ts';
import type { Expected } from './specimen.ts';
import { quadrantAt } from './test-picture.ts';

const EDGE = 16;
const CONFIG = preprocessorConfigSchema.parse({
  size: { height: EDGE, width: EDGE },
  resample: 2,
  do_rescale: false,
  do_normalize: false,
});

/** What came of a file: a picture, an error of ours by its code, or what nobody may ever see. */
export type Result =
  | { readonly picture: Float32Array } // [3, EDGE, EDGE] in 0 to 255
  | { readonly code: string }
  | { readonly broken: string };

export async function preprocess(bytes: Uint8Array): Promise<Result> {
  try {
    const data = (await preprocessImage(bytes, CONFIG, DEFAULT_LIMITS)).read(0);
    const isPicture = data.length === 3 * EDGE * EDGE && data.every((value) => value >= 0 && value <= 255);
    return isPicture ? { picture: data } : { broken: 'a picture with impossible values' };
  } catch (error) {
    return refusal(error);
  }
}

function refusal(error: unknown): Result {
  if (!(error instanceof GlimpseError)) return { broken: `threw ${String(error)}` };
  const codes = ['invalid_image', 'unsupported_image', 'image_too_large'];
  const isOurs = codes.includes(error.code) && error.param === 'image' && error.message.length > 0;
  return isOurs ? { code: error.code } : { broken: `${error.code}: ${error.message}` };
}

/** Null where the decoder gives exactly the rows that the header tells of; else what is wrong. */
export async function checkRows(bytes: Uint8Array): Promise<string | null> {
  const { format, width, height } = readHeader(bytes);
  const decode = format === 'jpeg' ? decodeJpeg : decodePng;
  let seen = 0;
  for await (const { rgb, rows } of decode(bytes, () => Promise.resolve()).bands) {
    if (rgb.length < rows * width * 3) return `${rgb.length} bytes for ${rows} rows of ${width} pixels`;
    seen += rows;
  }
  return seen === height ? null : `${seen} rows of ${height}`;
}

/** Null where the result is what must come of the file; else in words what came. */
export function verdict(result: Result, expected: Expected): string | null {
  if ('broken' in result) return result.broken;
  if ('code' in result) {
    if ('code' in expected && expected.code === result.code) return null;
    return `${result.code} for ${'code' in expected ? expected.code : 'a picture'}`;
  }
  if ('code' in expected) return `a picture for ${expected.code}`;
  const { colors, tolerance } = expected;
  for (let y = 0; y < EDGE; y++) {
    for (let x = 0; x < EDGE; x++) {
      if (![x, y].every((at) => at % 8 >= 2 && at % 8 <= 5)) continue; // the quarters blend at their edges
      const wanted = colors[quadrantAt(x, y, EDGE, EDGE)];
      const seen = wanted.map((_, c) => result.picture[(c * EDGE + y) * EDGE + x] ?? NaN);
      if (!seen.every((value, c) => Math.abs(value - (wanted[c] ?? 0)) <= tolerance)) {
        return `(${seen.join(' ')}) at ${x},${y} for (${wanted.join(' ')})`;
      }
    }
  }
  return null;
}
