import { createHash } from 'node:crypto';
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256Hex, type FileEntry } from '../../src/bundle/manifest.ts';
import type { QuantizationError } from './quantize-q4.ts';

/** Raise it where the same input comes out as other bytes. */
const IMPORT_VERSION = 1;

/** A shard that is written, and the error of what it holds. */
export interface FinishedShard extends FileEntry {
  readonly error: QuantizationError;
}

const number = z.number().nonnegative();
const stateSchema = z.object({
  fingerprint: z.string(),
  shards: z.record(
    z.string(),
    z.object({
      size: number,
      sha256: z.string(),
      error: z.object({ squared: number, nearest: number, total: number }),
    }),
  ),
});

/** What an import that was cut off has done already. */
export interface ImportState {
  /** The shard, where the folder has it as it was written. */
  finished(name: string): Promise<FinishedShard | undefined>;
  finish(name: string, shard: FinishedShard): Promise<void>;
}

/**
 * Beside the bundle's folder, which holds what will be in the bundle and nothing else.
 * @param fingerprint of all that decides the bytes: another one begins anew
 */
export async function openState(folder: string, fingerprint: string): Promise<ImportState> {
  const path = `${folder}.state.json`;
  const before = stateSchema.safeParse(await readIfThere(path));
  const shards: Record<string, FinishedShard> =
    before.data?.fingerprint === fingerprint ? before.data.shards : {};
  return {
    async finished(name) {
      const shard = shards[name];
      const bytes = shard && (await readFile(join(folder, name)).catch(() => undefined));
      return bytes && (await sha256Hex(new Uint8Array(bytes))) === shard.sha256 ? shard : undefined;
    },
    async finish(name, shard) {
      shards[name] = shard;
      await writeWhole(path, new TextEncoder().encode(JSON.stringify({ fingerprint, shards })));
    },
  };
}

/** SHA-256 over the files' contents and the options. */
export async function fingerprintOf(paths: readonly string[], options: object): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify({ IMPORT_VERSION, ...options }));
  const buffer = Buffer.alloc(1 << 20);
  for (const path of paths) {
    const own = createHash('sha256');
    const file = await open(path);
    try {
      for (let read = await file.read(buffer); read.bytesRead > 0; read = await file.read(buffer)) {
        own.update(buffer.subarray(0, read.bytesRead));
      }
    } finally {
      await file.close();
    }
    hash.update(own.digest());
  }
  return hash.digest('hex');
}

/** Under its name there is the whole file or none. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(`${path}.partial`, bytes);
  await rename(`${path}.partial`, path);
}

async function readIfThere(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined; // none, or cut off: nothing to go on with
  }
}
