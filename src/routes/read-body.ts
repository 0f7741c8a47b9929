import { GlimpseError } from '../errors.ts';

/** How long a body may take to arrive, in milliseconds: who drips would hold its room for ever. */
const MAX_TIME = 60_000;

/**
 * The request's body, in one buffer that is filled as it arrives. The limit is kept while reading, since
 * Content-Length may be absent or false.
 * @throws GlimpseError body_too_large, request_timeout; invalid_request where it ends before its Content-Length
 */
export async function readBody(request: Request, max_bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const length = contentLength(request);
  if (length !== undefined && length > max_bytes) throw tooLarge(max_bytes);
  if (request.body === null) return new Uint8Array(0);
  const reader = request.body.getReader({ mode: 'byob' });
  const timer = setTimeout(() => void reader.cancel().catch(() => undefined), MAX_TIME);
  try {
    return await readAll(reader, length ?? FIRST_ROOM, max_bytes);
  } finally {
    clearTimeout(timer);
    reader.releaseLock();
  }
}

/** undefined: the body comes in chunks and nobody knows. */
export function contentLength(request: Request): number | undefined {
  const length = request.headers.get('content-length');
  return length === null ? undefined : Number(length);
}

const FIRST_ROOM = 65_536;
const TOO_SLOW = new GlimpseError(
  'request_timeout',
  `The request body took over ${MAX_TIME / 1000} seconds: send it faster, or a smaller image.`,
);

/** BYOB: each chunk is written where it will stay. A body that is longer than the room gets one twice as large. */
async function readAll(
  reader: ReadableStreamBYOBReader,
  room: number,
  max_bytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let buffer = new Uint8Array(Math.min(room, max_bytes) + 1); // a byte more, so that the end is seen
  let filled = 0;
  for (;;) {
    const { value, done } = await reader.read(buffer.subarray(filled));
    if (value === undefined) throw TOO_SLOW; // cancelled: nothing is given back
    if (done) return new Uint8Array(value.buffer, 0, filled);
    filled += value.byteLength;
    buffer = new Uint8Array(value.buffer);
    if (filled > max_bytes) throw tooLarge(max_bytes);
    if (filled === buffer.length) buffer = grown(buffer, Math.min(2 * filled, max_bytes + 1));
  }
}

function grown(buffer: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(buffer);
  return larger;
}

function tooLarge(max_bytes: number): GlimpseError {
  return new GlimpseError('body_too_large', `The request body may have at most ${max_bytes} bytes.`);
}
