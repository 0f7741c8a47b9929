import { GlimpseError } from '../errors.ts';

/** How long a body may take to arrive, in milliseconds: who drips would hold its room for ever. */
const MAX_TIME = 60_000;
/** Who sends next to nothing is not waited for so long: all in all so much must come, once the grace is over. */
const GRACE = 5_000; // milliseconds
const RATE = 16_384; // bytes a second: an eighth of a megabit

/**
 * The request's body, in one buffer that is filled as it arrives. The limit is kept while reading, since
 * Content-Length may be absent or false.
 * @throws GlimpseError body_too_large, request_timeout, unsupported_media_type where it is compressed; invalid_request where the connection breaks off
 */
export async function readBody(request: Request, max_bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    const message = `Content-Encoding ${encoding} is not supported: send the body as it is.`;
    throw new GlimpseError('unsupported_media_type', message);
  }
  const length = contentLength(request);
  if (length !== undefined && length > max_bytes) throw tooLarge(max_bytes);
  if (request.body === null) return new Uint8Array(0);
  const reader = request.body.getReader({ mode: 'byob' });
  const watch = watchPace(reader);
  try {
    const body = await readAll(reader, length ?? FIRST_ROOM, max_bytes, watch);
    if (watch.gave_up) throw TOO_SLOW; // in workerd a read that is cancelled may end or fail
    return body;
  } catch (error) {
    if (error instanceof GlimpseError) throw error;
    if (watch.gave_up) throw TOO_SLOW;
    throw new GlimpseError('invalid_request', 'The connection broke off within the request body.', {
      cause: error,
    });
  } finally {
    watch.stop();
    reader.releaseLock();
  }
}

interface Watch {
  arrived: number;
  gave_up: boolean;
  stop(): void;
}

/** Cancels what is read when it falls behind. */
function watchPace(reader: ReadableStreamBYOBReader): Watch {
  const from = Date.now();
  const timer = setInterval(() => {
    const time = Date.now() - from;
    if (time < MAX_TIME && watch.arrived >= ((time - GRACE) / 1000) * RATE) return;
    watch.gave_up = true;
    watch.stop();
    void reader.cancel().catch(() => undefined);
  }, 1000);
  const watch: Watch = { arrived: 0, gave_up: false, stop: () => clearInterval(timer) };
  return watch;
}

/** undefined: the body comes in chunks and nobody knows. */
export function contentLength(request: Request): number | undefined {
  const length = request.headers.get('content-length');
  return length === null ? undefined : Number(length);
}

const FIRST_ROOM = 65_536;
const TOO_SLOW = new GlimpseError(
  'request_timeout',
  'The request body arrives too slowly: send it faster, or a smaller image.',
);

/** BYOB: each chunk is written where it will stay. A body that is longer than the room gets one twice as large. */
async function readAll(
  reader: ReadableStreamBYOBReader,
  room: number,
  max_bytes: number,
  watch: Watch,
): Promise<Uint8Array<ArrayBuffer>> {
  let buffer = new Uint8Array(Math.min(room, max_bytes) + 1); // a byte more, so that the end is seen
  let filled = 0;
  for (;;) {
    const { value, done } = await reader.read(buffer.subarray(filled));
    if (value === undefined) return new Uint8Array(0); // cancelled: nothing is given back
    if (done) return new Uint8Array(value.buffer, 0, filled);
    filled += value.byteLength;
    watch.arrived = filled;
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
