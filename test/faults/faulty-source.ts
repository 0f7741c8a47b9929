import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ByteStream, ShardSource } from '../../src/bundle/source.ts';

/** What lies at a place, by file name. */
export type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

export type FaultKind =
  | '404'
  | '500'
  | 'hang'
  | 'stalled body'
  | 'slow drip'
  | 'connection lost'
  | 'truncation'
  | 'flipped bit'
  | 'too long';

/** A place of one bundle, which can be changed and broken while it is in use. */
export interface FaultySource extends ShardSource {
  files: Files;
  /** What happens to the next `times` fetches of the file. */
  fail(file: string, kind: FaultKind, times: number): void;
  heal(): void;
  /** Hears each fetch before it is answered. */
  onFetch: (file: string) => void;
}

export async function readBundle(folder: string): Promise<Files> {
  const names = await readdir(folder);
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, new Uint8Array(await readFile(join(folder, name)))] as const),
    ),
  );
}

export function faultySource(files: Files): FaultySource {
  let fault: { readonly file: string; readonly kind: FaultKind; times: number } | undefined;
  return {
    files,
    onFetch: () => undefined,
    fail(file, kind, times) {
      fault = { file, kind, times };
    },
    heal() {
      fault = undefined;
    },
    async fetch(path) {
      const name = basename(path);
      this.onFetch(name);
      const bytes = this.files.get(name);
      if (bytes === undefined) return undefined;
      if (fault?.file !== name || fault.times === 0) return streamOf(bytes);
      fault.times -= 1;
      return FAULTS[fault.kind](bytes);
    },
  };
}

const forEver = new Promise<never>(() => undefined);
const middle = (bytes: Uint8Array): number => bytes.length >> 1;

export const FAULTS: Readonly<
  Record<FaultKind, (bytes: Uint8Array<ArrayBuffer>) => ByteStream | undefined | Promise<never>>
> = {
  '404': () => undefined,
  '500': () => Promise.reject(new Error('answered with HTTP status 500')),
  hang: () => forEver,
  'stalled body': (bytes) => streamOf(bytes.slice(0, middle(bytes)), () => forEver),
  'slow drip': (bytes) => {
    let at = 0;
    return streamOf(new Uint8Array(0), async (controller) => {
      await new Promise((next) => setTimeout(next, 25));
      controller.enqueue(bytes.slice(at, (at += 1)));
    });
  },
  'connection lost': (bytes) =>
    streamOf(bytes.slice(0, middle(bytes)), (controller) => {
      controller.error(new TypeError('the connection was lost'));
    }),
  truncation: (bytes) => streamOf(bytes.slice(0, middle(bytes))),
  'flipped bit': (bytes) => streamOf(bytes.with(middle(bytes), (bytes[middle(bytes)] ?? 0) ^ 1)),
  'too long': (bytes) => streamOf(new Uint8Array([...bytes, 0])),
};

type Pull = (controller: ReadableStreamController<Uint8Array>) => void | Promise<void>;

/** A byte stream of some bytes and then of what `pull` gives; without it the stream ends. */
function streamOf(bytes: Uint8Array<ArrayBuffer>, pull?: Pull): ByteStream {
  let begun = false;
  return new ReadableStream<Uint8Array>({
    type: 'bytes',
    pull(controller) {
      if (!begun && bytes.length > 0) {
        begun = true;
        controller.enqueue(bytes.slice()); // it takes the buffer away
      } else if (pull) {
        return pull(controller);
      } else {
        controller.close();
        if ('byobRequest' in controller) controller.byobRequest?.respond(0);
      }
      return undefined;
    },
  });
}
