/**
 * Turns the exported weights of glimpse-10m into a bundle: a Hugging Face model folder cut into shards,
 * with a manifest. The same sources give the same bytes.
 *
 *   node scripts/build-bundle.ts --weights glimpse-10m.safetensors --tokenizer tokenizer.json \
 *     --labels labels.json --out model-shards/glimpse-10m
 */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { MANIFEST, SHARD_LIMIT, digestOf, parseManifest, sha256Hex } from '../src/bundle/manifest.ts';
import { readSafetensors, type Tensor } from '../src/bundle/safetensors.ts';
import { config, generationConfig, preprocessorConfig, tokenizerConfig } from './bundle/configs.ts';
import { writeSafetensors } from './bundle/safetensors-writer.ts';
import { PARTS, bundleName } from './bundle/tensor-names.ts';

/** More than a tensor's entry in a shard's header takes, and than what surrounds the entries. */
const HEADER_ENTRY = 256;

type Files = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

const { values } = parseArgs({
  options: {
    weights: { type: 'string' },
    tokenizer: { type: 'string' },
    labels: { type: 'string' },
    out: { type: 'string' },
  },
});
const { weights, tokenizer, labels, out } = z
  .object({ weights: z.string(), tokenizer: z.string(), labels: z.string(), out: z.string() })
  .parse(values);

const shards = shardsOf(await readTensors(weights));
const files: Files = {
  ...shards,
  'model.safetensors.index.json': json(indexOf(shards)),
  'config.json': json(config(await readLabels(labels))),
  'generation_config.json': json(generationConfig),
  'preprocessor_config.json': json(preprocessorConfig),
  'tokenizer.json': await bytesOf(tokenizer),
  'tokenizer_config.json': json(tokenizerConfig(await readOwn('chat-template.jinja'))),
  'README.md': new TextEncoder().encode(await readOwn('model-card.md')),
};
const manifest = json(await manifestOf(basename(resolve(out)), files));
await writeFolder(out, { ...files, [MANIFEST]: manifest });
console.log((await parseManifest(manifest, basename(resolve(out)))).digest);

async function readTensors(path: string): Promise<readonly Tensor[]> {
  return readSafetensors(await bytesOf(path), path).map((tensor) => ({
    ...tensor,
    name: bundleName(tensor.name),
  }));
}

async function readLabels(path: string): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8');
  return z
    .array(z.object({ label: z.string() }))
    .parse(JSON.parse(text))
    .map(({ label }) => label);
}

/** Every part in shards of its own: a part is fetched alone. */
function shardsOf(tensors: readonly Tensor[]): Files {
  const parts = PARTS.flatMap((part) => pack(tensors.filter(({ name }) => part.test(name))));
  const number = (n: number) => String(n).padStart(5, '0');
  const name = (index: number) => `model-${number(index + 1)}-of-${number(parts.length)}.safetensors`;
  return Object.fromEntries(parts.map((part, index) => [name(index), writeSafetensors(part)]));
}

/** Tensors in order, a new run wherever the next one would not fit the shard any more. */
function pack(tensors: readonly Tensor[]): readonly (readonly Tensor[])[] {
  const runs: Tensor[][] = [];
  let run: Tensor[] = [];
  let room = 0;
  for (const tensor of tensors) {
    const size = tensor.data.length + HEADER_ENTRY;
    if (size > room) {
      run = [];
      runs.push(run);
      room = SHARD_LIMIT - HEADER_ENTRY;
    }
    room -= size;
    run.push(tensor);
  }
  return runs;
}

function indexOf(shards: Files): object {
  const placed = Object.entries(shards)
    .flatMap(([shard, bytes]) => readSafetensors(bytes, shard).map((tensor) => ({ shard, ...tensor })))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    metadata: { total_size: placed.reduce((sum, { data }) => sum + data.length, 0) },
    weight_map: Object.fromEntries(placed.map(({ name, shard }) => [name, shard])),
  };
}

async function manifestOf(id: string, files: Files): Promise<object> {
  const entry = async (bytes: Uint8Array<ArrayBuffer>) => ({
    size: bytes.length,
    sha256: await sha256Hex(bytes),
  });
  const names = Object.keys(files).sort();
  const entries = await Promise.all(
    names.map(async (name) => [name, await entry(files[name] ?? new Uint8Array())] as const),
  );
  const listed = Object.fromEntries(entries);
  return { format_version: 1, id, digest: await digestOf(listed), files: listed };
}

/** Refuses a folder that holds anything else, so that no stale shard is ever uploaded. */
async function writeFolder(folder: string, files: Files): Promise<void> {
  await mkdir(folder, { recursive: true });
  const strangers = (await readdir(folder)).filter((name) => !(name in files));
  if (strangers.length > 0) throw new Error(`${folder} holds other files: remove ${strangers.join(', ')}`);
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
}

function json(value: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}

/** A copy, since Node's own may be a view of a shared pool. */
async function bytesOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(path));
}

/** A text file that belongs to this script. */
async function readOwn(name: string): Promise<string> {
  return readFile(new URL(`./bundle/${name}`, import.meta.url), 'utf8');
}
