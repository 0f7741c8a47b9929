import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST, MANIFEST_LIMIT, parseManifest, type FileEntry } from '../../src/bundle/manifest.ts';
import { fileEntry, indexOf, json, manifestOf, type SmallFiles } from '../bundle/bundle-files.ts';
import { writeSafetensors } from '../bundle/safetensors-writer.ts';
import type { Shard } from '../bundle/shards.ts';
import type { Target } from '../bundle/target.ts';
import type { Calibration } from './calibrate/calibration.ts';
import type { Checkpoint, PublishedTensor } from './checkpoint.ts';
import { slotsOf, type Piece } from './pieces.ts';
import type { Plan } from './plan.ts';
import type { QuantizationError } from './quantize-q4.ts';
import { createQuantizer, type Quantizer } from './quantize-piece.ts';
import { fingerprintOf, openState, writeWhole, type FinishedShard } from './state.ts';

export interface Source {
  readonly folder: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly checkpoint: Checkpoint;
  /** By the bundle's names: see `matchTensors`. */
  readonly tensors: ReadonlyMap<string, PublishedTensor>;
  /** What the bundle has beside its weights. */
  readonly small: SmallFiles;
}

export interface Imported {
  readonly digest: string;
  /** Of all files. */
  readonly bytes: number;
  /** Over the 4-bit weights. */
  readonly error: QuantizationError;
}

/**
 * Writes the bundle, shard by shard, into a folder that is nobody else's. What an import that was cut off left
 * is gone on with; the manifest comes last, so that a bundle without one is none.
 * @param onShard is told of each shard that is done
 * @param calibration what the 4-bit weights are rounded for, where there is one
 */
export async function importModel(
  source: Source,
  plan: Plan,
  { id, out }: Target,
  onShard: (shard: Shard<Piece>) => void,
  calibration?: Calibration,
): Promise<Imported> {
  const { folder, config, checkpoint, tensors, small } = source;
  const target = join(out, id);
  await mkdir(target, { recursive: true });
  const names = new Set(plan.shards.map(({ name }) => name));
  for (const name of await readdir(target)) if (!names.has(name)) await rm(join(target, name));

  const inputs = checkpoint.files.map((name) => join(folder, name));
  const options = { config, shards: placesOf(plan), calibration: calibration?.fingerprint };
  const state = await openState(target, await fingerprintOf(inputs, options));
  const quantize = (shard: Shard<Piece>): Promise<FinishedShard> =>
    writeShard(target, shard, createQuantizer(checkpoint, tensors, calibration));
  const written: (readonly [string, FinishedShard])[] = [];
  for (const shard of plan.shards) {
    const done = await state.finished(shard.name);
    const entry = done ?? (await quantize(shard));
    if (!done) await state.finish(shard.name, entry);
    written.push([shard.name, entry]);
    onShard(shard);
  }

  const files = { ...small, [INDEX]: json(indexOf(placed(plan))) };
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(target, name), bytes);
  const entries = await entriesOf(files, written);
  const manifest = json(await manifestOf(id, entries));
  const { digest } = await parseManifest(manifest, id);
  if (manifest.length > MANIFEST_LIMIT) {
    throw new Error(
      `The manifest has ${manifest.length} bytes, and may have ${MANIFEST_LIMIT}: the model is too large.`,
    );
  }
  await writeWhole(join(target, MANIFEST), manifest);
  return {
    digest,
    bytes: Object.values(entries).reduce((sum, { size }) => sum + size, manifest.length),
    error: sumOf(written.map(([, { error }]) => error)),
  };
}

const INDEX = 'model.safetensors.index.json';

async function writeShard(
  folder: string,
  { name, items }: Shard<Piece>,
  quantizer: Quantizer,
): Promise<FinishedShard> {
  const bytes = writeSafetensors(items.flatMap((piece) => quantizer.quantize(piece)));
  await writeWhole(join(folder, name), bytes);
  return { ...(await fileEntry(bytes)), error: quantizer.error };
}

function placed({ shards }: Plan): Parameters<typeof indexOf>[0] {
  return shards.flatMap(({ name: shard, items }) =>
    items.flatMap((piece) => slotsOf(piece).map(({ name, bytes }) => ({ name, shard, bytes }))),
  );
}

/** What stands in which shard, in which form: with the input's bytes it decides every shard's. */
export function placesOf({ shards }: Plan): readonly unknown[] {
  return shards.map(({ name, items }) => [name, items.flatMap((piece) => slotsOf(piece))]);
}

async function entriesOf(
  files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>,
  shards: readonly (readonly [string, FileEntry])[],
): Promise<Readonly<Record<string, FileEntry>>> {
  const small = await Promise.all(
    Object.entries(files).map(async ([name, bytes]) => [name, await fileEntry(bytes)] as const),
  );
  const large = shards.map(([name, { size, sha256 }]) => [name, { size, sha256 }] as const);
  return Object.fromEntries([...large, ...small]);
}

function sumOf(errors: readonly QuantizationError[]): QuantizationError {
  const sum = (key: keyof QuantizationError): number =>
    errors.reduce((total, error) => total + error[key], 0);
  return { squared: sum('squared'), nearest: sum('nearest'), total: sum('total') };
}
