/** Node only: the one source that imports Node's builtins. */
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { ByteStream, ShardSource } from '../source.ts';

/** Bundles in a folder on disk. */
export function fileSource(folder: string): ShardSource {
  return {
    async fetch(path) {
      const file = await openIfThere(join(folder, path));
      return file && streamOf(file);
    },
  };
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Closes the file at its end. Node 24's own `readableWebStream` fails on a view into a larger buffer. */
function streamOf(file: FileHandle): ByteStream {
  const close = () => file.close();
  const read = async (view: Uint8Array) => {
    const { bytesRead } = await file.read(view);
    const done = bytesRead === 0;
    if (done) await close();
    return { done, value: view.subarray(0, bytesRead) };
  };
  return { getReader: () => ({ read, cancel: close }), cancel: close };
}
