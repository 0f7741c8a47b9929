import { isImageHandle } from '../cache/image-handle.ts';
import { GlimpseError } from '../errors.ts';
import type { ImageInput } from '../pipeline/pipeline.ts';

/**
 * @param image the image's encoded bytes, a data URL that holds them, a URL where they lie, or a handle.
 * @param param how errors name it.
 */
export function imageInput(image: Uint8Array<ArrayBuffer> | string, param = 'image'): ImageInput {
  if (typeof image !== 'string') return { bytes: image };
  if (isImageHandle(image)) return { handle: image };
  if (/^data:/i.test(image)) return { bytes: dataUrlBytes(image, param) };
  if (/^https?:/i.test(image)) return { url: image };
  throw invalidImageField(
    param,
    'must be a data URL (data:image/jpeg;base64,...), a handle (sha256: and 64 hex digits) or, where the deployment fetches images, an https URL',
  );
}

/** RFC 2397, base64 only. Its media type is not believed: the bytes tell. */
function dataUrlBytes(url: string, param: string): Uint8Array<ArrayBuffer> {
  const comma = url.indexOf(',');
  if (comma < 0 || !/;base64$/i.test(url.slice(0, comma))) {
    throw invalidImageField(param, 'the data URL must be base64');
  }
  const bytes = base64Bytes(url.slice(comma + 1), param);
  if (bytes.length === 0) {
    throw new GlimpseError('missing_image', `${param}: the data URL is empty.`, { param });
  }
  return bytes;
}

function base64Bytes(base64: string, param: string): Uint8Array<ArrayBuffer> {
  const binary = decodeBase64(base64, param);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

function decodeBase64(base64: string, param: string): string {
  try {
    return atob(base64);
  } catch {
    throw invalidImageField(param, 'the data URL is not valid base64');
  }
}

function invalidImageField(param: string, reason: string): GlimpseError {
  return new GlimpseError('invalid_value', `${param}: ${reason}.`, { param });
}
