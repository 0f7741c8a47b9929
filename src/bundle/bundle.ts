import * as z from 'zod';
import { GlimpseError } from '../errors.ts';
import { freeNow } from '../free-now.ts';
import { lazy } from '../lazy.ts';
import { withTimeLimit } from '../time-limit.ts';
import { bundleFiles, type FetchCount } from './files.ts';
import { MANIFEST, MANIFEST_LIMIT, parseManifest, type Manifest } from './manifest.ts';
import { wholeName } from './pieces.ts';
import { DEFAULT_RETRIES, type Retries } from './retries.ts';
import { readSafetensors, type Tensor } from './safetensors.ts';
import type { ShardSource } from './source.ts';

const INDEX = 'model.safetensors.index.json';
const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * A model folder whose files are fetched when they are needed and checked against the manifest before
 * they are used. Nothing is kept but the index of tensors: every call fetches, so a call after a failed one may
 * succeed. Methods reject with GlimpseError `shard_unavailable` (a file is missing, short, long, altered or out of reach;
 * the message names it) or `bundle_invalid` (the bundle was built wrongly).
 */
export interface Bundle {
  readonly id: string;
  /** Of the whole bundle, as 64 hexadecimal digits: see `digestOf`. */
  readonly digest: string;
  /** By file name, since the bundle was opened. */
  readonly fetched: ReadonlyMap<string, FetchCount>;
  /** The names of its files; one that lies in pieces is named once, as a whole. */
  readonly files: readonly string[];
  /** Whether the manifest lists the file. */
  has(name: string): boolean;
  /** A file as it stands, or put together of its pieces. */
  bytes(name: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  text(name: string, signal?: AbortSignal): Promise<string>;
  json(name: string, signal?: AbortSignal): Promise<unknown>;
  /**
   * Every tensor whose name is one of the prefixes, a dot and more. Shard by shard in the order of their names:
   * each is fetched once, and its memory freed before the next is fetched. A tensor's data is the caller's until
   * it asks for the next tensor, and must be copied to be kept.
   */
  tensors(prefixes: readonly string[], signal?: AbortSignal): AsyncGenerator<Tensor, void>;
  /**
   * Whether `error` may come of a deployment that has put another bundle in this one's place: a file is not
   * what the manifest says, and at the source there is another manifest by now. Then this bundle can never
   * be read whole again.
   */
  isReplaced: (error: unknown) => Promise<boolean>;
}

export interface OpenOptions {
  readonly signal?: AbortSignal;
  readonly retries?: Retries;
}

/** Opens the bundle `id` of a source. Fetches its manifest and nothing else. */
export async function openBundle(
  source: ShardSource,
  id: string,
  { signal, retries = DEFAULT_RETRIES }: OpenOptions = {},
): Promise<Bundle> {
  const files = bundleFiles(source, id, retries);
  const readManifest = (signal?: AbortSignal): Promise<Manifest> =>
    files.read(MANIFEST, MANIFEST_LIMIT, (file) => parseManifest(file, id), signal);
  const manifest = await readManifest(signal);

  const invalid = (why: string, cause?: unknown) =>
    new GlimpseError('bundle_invalid', `The model bundle "${id}" ${why}. Build it again.`, { cause });

  const read = async (name: string, signal?: AbortSignal) => {
    const entry = manifest.files[name];
    if (entry === undefined) throw invalid(`does not list ${name} in its manifest`);
    return files.readVerified(name, entry, signal);
  };

  const bytes: Bundle['bytes'] = async (name, signal) => {
    if (Object.hasOwn(manifest.files, name)) return read(name, signal);
    const pieces = Object.entries(manifest.files).filter(([piece]) => wholeName(piece) === name);
    if (pieces.length === 0) throw invalid(`does not list ${name} in its manifest`);
    const whole = new Uint8Array(pieces.reduce((sum, [, { size }]) => sum + size, 0));
    let at = 0;
    for (const [piece, { size }] of pieces.sort(([a], [b]) => (a < b ? -1 : 1))) {
      whole.set(await read(piece, signal), at);
      at += size;
    }
    return whole;
  };

  const text: Bundle['text'] = async (name, signal) => {
    const file = await read(name, signal);
    const content = new TextDecoder().decode(file);
    freeNow(file);
    return content;
  };

  const json: Bundle['json'] = async (name, signal) => {
    const content = await text(name, signal);
    try {
      return JSON.parse(content) as unknown;
    } catch (cause) {
      throw invalid(`has a ${name} that is not JSON`, cause);
    }
  };

  // One read for all who wait, and so for none of them alone to abort.
  const placed = lazy(async () => {
    const index = indexSchema.safeParse(await json(INDEX));
    if (!index.success) throw invalid(`has an ${INDEX} that places no tensors`, index.error);
    return Object.entries(index.data.weight_map).map(([name, shard]) => ({ name, shard }));
  });

  async function* shardTensors(shard: string, names: ReadonlySet<string>, signal?: AbortSignal) {
    const file = await read(shard, signal);
    const tensors = readSafetensors(file, shard).filter(({ name }) => names.has(name));
    if (tensors.length < names.size) throw invalid(`has tensors placed in ${shard} that are not there`);
    try {
      yield* tensors;
    } finally {
      freeNow(file);
    }
  }

  return {
    id,
    digest: manifest.digest,
    fetched: files.fetched,
    files: [...new Set(Object.keys(manifest.files).map(wholeName))],
    has: (name) => Object.hasOwn(manifest.files, name),
    bytes,
    text,
    json,
    async *tensors(prefixes, signal) {
      const isWanted = (name: string) => prefixes.some((prefix) => name.startsWith(`${prefix}.`));
      const wanted = (await placed.get()).filter(({ name }) => isWanted(name));
      const byShard = [...Map.groupBy(wanted, ({ shard }) => shard)].sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [shard, tensors] of byShard) {
        yield* shardTensors(shard, new Set(tensors.map(({ name }) => name)), signal);
      }
    },
    isReplaced: async (error) => {
      if (!(error instanceof GlimpseError) || error.code !== 'shard_unavailable') return false;
      try {
        const now = await withTimeLimit(readManifest, retries.attempt);
        return now.digest !== manifest.digest;
      } catch {
        return false; // the source is out of reach: that is the error there was
      }
    },
  };
}
