import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { R2Bucket } from '@cloudflare/workers-types';
import { MANIFEST, parseManifest, sha256Hex, type FileEntry } from '../../src/bundle/manifest.ts';

/** What became of a file: put into the bucket, or found there with the same digest. */
export interface UploadedFile {
  readonly name: string;
  readonly size: number; // bytes
  readonly uploaded: boolean;
}

/**
 * Puts a bundle's files into a bucket under `<id>/<file>`, the manifest last: a Worker that reads the bucket
 * meanwhile sees the old bundle whole or the new one. Every file is checked against the manifest before it is
 * sent, and R2 checks what arrives.
 * @throws Error that names the file which is not what the manifest says
 */
export async function* uploadBundle(folder: string, bucket: R2Bucket): AsyncGenerator<UploadedFile> {
  const id = basename(folder);
  const manifest = await readBytes(folder, MANIFEST);
  const { files } = await parseManifest(manifest, id);
  for (const [name, entry] of Object.entries(files)) {
    yield await put(bucket, `${id}/${name}`, name, entry, () => readVerified(folder, name, entry));
  }
  const entry = { size: manifest.length, sha256: await sha256Hex(manifest) };
  yield await put(bucket, `${id}/${MANIFEST}`, MANIFEST, entry, () => Promise.resolve(manifest));
}

async function put(
  bucket: R2Bucket,
  key: string,
  name: string,
  { size, sha256 }: FileEntry,
  read: () => Promise<Uint8Array<ArrayBuffer>>,
): Promise<UploadedFile> {
  const uploaded = !(await holds(bucket, key, sha256));
  if (uploaded) {
    await bucket.put(key, await read(), { sha256 });
    if (!(await holds(bucket, key, sha256))) {
      throw new Error(`${key} did not arrive as it was sent. Run the command again.`);
    }
  }
  return { name, size, uploaded };
}

/** R2 keeps the SHA-256 of what was put with one. */
async function holds(bucket: R2Bucket, key: string, sha256: string): Promise<boolean> {
  const object = await bucket.head(key);
  const kept = object?.checksums.sha256;
  return kept !== undefined && Buffer.from(kept).toString('hex') === sha256;
}

async function readVerified(
  folder: string,
  name: string,
  entry: FileEntry,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readBytes(folder, name);
  if (bytes.length !== entry.size || (await sha256Hex(bytes)) !== entry.sha256) {
    throw new Error(`${join(folder, name)} is not what ${MANIFEST} says. Build or import the bundle again.`);
  }
  return bytes;
}

async function readBytes(folder: string, name: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(join(folder, name)));
  } catch (cause) {
    throw new Error(`${join(folder, name)} cannot be read: ${folder} is no whole bundle.`, { cause });
  }
}
