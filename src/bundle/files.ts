import { GlimpseError } from '../errors.ts';
import { sha256Hex, type FileEntry } from './manifest.ts';
import { withRetries, type Retries } from './retries.ts';
import type { ByteStream, ShardSource } from './source.ts';

/** How often a file was asked for, and the bytes that came. */
export interface FetchCount {
  readonly fetches: number;
  readonly bytes: number;
}

/** The files of one bundle, each fetched anew whenever it is read, and again when that fails. */
export interface BundleFiles {
  readonly fetched: ReadonlyMap<string, FetchCount>;
  /**
   * What `accept` makes of the whole file, of at most `limit` bytes: no more than these are ever held. A
   * file that it refuses is fetched again, like one that does not come.
   * @throws GlimpseError of `accept` or `shard_unavailable`; the signal's reason where it is aborted
   */
  read<T>(name: string, limit: number, accept: Accept<T>, signal?: AbortSignal): Promise<T>;
  /** A file that must be exactly what `entry` says. */
  readVerified(name: string, entry: FileEntry, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

type Accept<T> = (file: Uint8Array<ArrayBuffer>) => Promise<T>;

export function bundleFiles(source: ShardSource, id: string, retries: Retries): BundleFiles {
  const fetched = new Map<string, FetchCount>();
  const count = (name: string, more: FetchCount) => {
    const { fetches, bytes } = fetched.get(name) ?? { fetches: 0, bytes: 0 };
    fetched.set(name, { fetches: fetches + more.fetches, bytes: bytes + more.bytes });
  };

  const unavailable = (name: string, why: string, cause?: unknown) =>
    new GlimpseError(
      'shard_unavailable',
      `${name} of the model bundle "${id}" ${why}. Try again; if it stays so, upload the bundle again as it was built.`,
      { cause },
    );

  const fetchBytes = async (path: string, limit: number, signal: AbortSignal) => {
    const stream = await source.fetch(path, signal);
    return stream && collect(stream, limit, signal);
  };

  const fetchWhole = async (name: string, limit: number, signal: AbortSignal) => {
    count(name, { fetches: 1, bytes: 0 });
    const file = await fetchBytes(`${id}/${name}`, limit, signal).catch((cause: unknown) => {
      throw unavailable(name, 'could not be fetched', cause); // p-retry takes most TypeErrors for bugs
    });
    if (file === undefined) throw unavailable(name, 'is missing');
    count(name, { fetches: 0, bytes: file.length });
    if (file.length > limit) throw unavailable(name, `is longer than ${limit} bytes`);
    return file;
  };

  const read: BundleFiles['read'] = async (name, limit, accept, signal) => {
    try {
      const attempt = async (signal: AbortSignal) => accept(await fetchWhole(name, limit, signal));
      return await withRetries(attempt, retries, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof GlimpseError ? error : unavailable(name, 'could not be fetched', error);
    }
  };

  return {
    fetched,
    read,
    readVerified: (name, { size, sha256 }, signal) =>
      read(
        name,
        size,
        async (file) => {
          if (file.length < size) throw unavailable(name, `has only ${file.length} of its ${size} bytes`);
          if ((await sha256Hex(file)) !== sha256) {
            throw unavailable(name, 'does not have the SHA-256 that its manifest gives');
          }
          return file;
        },
        signal,
      ),
  };
}

/** A stream's bytes in one buffer, or its first `limit + 1` where it has more than `limit`. */
async function collect(
  stream: ByteStream,
  limit: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader({ mode: 'byob' });
  const cancel = () => {
    reader.cancel(signal.reason).catch(() => undefined); // it may have failed of the same signal
  };
  signal.addEventListener('abort', cancel);
  try {
    let file = new Uint8Array(limit + 1);
    let length = 0;
    while (length < file.length) {
      // A read takes the buffer away and gives it back with the value.
      const { done, value } = await reader.read(file.subarray(length));
      signal.throwIfAborted();
      if (value !== undefined) {
        file = new Uint8Array(value.buffer as ArrayBuffer);
        length += value.length;
      }
      if (done) return file.subarray(0, length);
    }
    await reader.cancel();
    return file;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}
