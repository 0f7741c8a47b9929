import * as z from 'zod';
import { GlimpseError } from '../errors.ts';
import { wholeName } from './pieces.ts';

/** The manifest's name in every bundle, and the most bytes that are read of it. */
export const MANIFEST = 'manifest.json';
export const MANIFEST_LIMIT = 256 * 1024;

/** Weights come in shards, or pieces, of at most this many bytes. */
export const SHARD_LIMIT = 4 * 1024 * 1024;
/** Any other file: the most that Cloudflare's static assets take. */
const FILE_LIMIT = 25 * 1024 * 1024;
const WEIGHTS = /\.(safetensors|onnx|onnx_data(_\d+)?)$/;

/** A bundle's id and its files' names: one path segment, so that none leads out of its folder. */
const segment = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const fileEntry = z.strictObject({ size: z.int().nonnegative().max(FILE_LIMIT), sha256 });

const manifestSchema = z
  .strictObject({
    format_version: z.literal(1),
    id: segment,
    digest: sha256,
    files: z.record(segment, fileEntry),
  })
  .refine(
    ({ files }) =>
      Object.entries(files).every(
        ([name, { size }]) => !WEIGHTS.test(wholeName(name)) || size <= SHARD_LIMIT,
      ),
    { path: ['files'], message: `a shard is larger than ${SHARD_LIMIT} bytes` },
  );

/** What a bundle consists of: every file's size in bytes and SHA-256, and a digest of the whole. */
export type Manifest = Readonly<z.infer<typeof manifestSchema>>;
export type FileEntry = Readonly<z.infer<typeof fileEntry>>;

/** SHA-256 as 64 lowercase hexadecimal digits. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The digest of a whole bundle: SHA-256 of one line a file, `<sha256> <size> <name>\n`, the lines
 * ordered by name as ASCII. It changes with any byte of any file.
 */
export async function digestOf(files: Manifest['files']): Promise<string> {
  const lines = Object.entries(files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { sha256, size }]) => `${sha256} ${size} ${name}\n`);
  return sha256Hex(new TextEncoder().encode(lines.join('')));
}

/**
 * Reads a manifest and checks that it is one, that it is `id`'s and that its digest is its files'.
 * @throws GlimpseError `shard_unavailable`: nothing tells one that was damaged from one that was built wrongly
 */
export async function parseManifest(bytes: Uint8Array, id: string): Promise<Manifest> {
  const invalid = (why: string, cause?: unknown) =>
    new GlimpseError(
      'shard_unavailable',
      `${MANIFEST} of the model bundle "${id}" ${why}. Try again; if it stays so, build and upload the bundle again.`,
      { cause },
    );
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw invalid('is not JSON', cause);
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw invalid(`is not valid: ${z.prettifyError(parsed.error)}`, parsed.error);
  const manifest = parsed.data;
  if (manifest.id !== id) throw invalid(`belongs to the bundle "${manifest.id}"`);
  if (manifest.digest !== (await digestOf(manifest.files))) {
    throw invalid('gives a digest that its files do not have');
  }
  return manifest;
}
