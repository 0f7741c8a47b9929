/**
 * Turns the exported weights of glimpse-10m into a bundle: a Hugging Face model folder cut into shards,
 * with a manifest. The same sources give the same bytes.
 *
 *   node scripts/build-bundle.ts --weights glimpse-10m.safetensors --tokenizer tokenizer.json \
 *     --labels labels.json --out model-shards/glimpse-10m
 */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { MANIFEST, parseManifest, type FileEntry } from '../src/bundle/manifest.ts';
import { readSafetensors, type Tensor } from '../src/bundle/safetensors.ts';
import { createTokenizer } from '../src/text/tokenizer.ts';
import {
  fileEntry,
  indexOf,
  json,
  manifestOf,
  type PlacedTensor,
  type SmallFiles,
} from './bundle/bundle-files.ts';
import {
  config,
  generationConfig,
  preprocessorConfig,
  tokenizerConfig,
  type ClassLabel,
} from './bundle/configs.ts';
import { writeSafetensors } from './bundle/safetensors-writer.ts';
import { cutIntoShards } from './bundle/shards.ts';
import { PARTS, bundleName } from './bundle/tensor-names.ts';
import { fromUser } from './cli/paths.ts';
import { runCommand } from './cli/run-command.ts';

const USAGE = `npm run bundle -- --weights FILE --tokenizer FILE --labels FILE --out <folder>

  --weights    the exported weights: glimpse-10m.safetensors
  --tokenizer  tokenizer.json
  --labels     labels.json: the classifier's classes in order
  --out        the bundle's folder, whose name is its id`;

interface BundleArguments {
  readonly weights: string;
  readonly tokenizer: string;
  readonly labels: string;
  readonly out: string;
}

await runCommand({ usage: USAGE, parse, run: build });

function parse(args: readonly string[]): BundleArguments {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { weights: option, tokenizer: option, labels: option, out: option },
  });
  const path = (name: keyof BundleArguments): string => {
    const given = values[name];
    if (given === undefined) throw new Error(`--${name} is missing.`);
    return fromUser(given);
  };
  return {
    weights: path('weights'),
    tokenizer: path('tokenizer'),
    labels: path('labels'),
    out: path('out'),
  };
}

async function build({ weights, tokenizer, labels, out }: BundleArguments): Promise<void> {
  const tokenizer_config = tokenizerConfig(await readOwn('chat-template.jinja'));
  const names = createTokenizer(JSON.parse(await readFile(tokenizer, 'utf8')), tokenizer_config);
  const shards = shardsOf(await readTensors(weights));
  const files: SmallFiles = {
    ...shards,
    'model.safetensors.index.json': json(indexOf(placedIn(shards))),
    'config.json': json(config(await readLabels(labels), (text) => names.encode(text))),
    'generation_config.json': json(generationConfig),
    'preprocessor_config.json': json(preprocessorConfig),
    'tokenizer.json': await bytesOf(tokenizer),
    'tokenizer_config.json': json(tokenizer_config),
    'README.md': new TextEncoder().encode(await readOwn('model-card.md')),
  };
  const id = basename(out);
  const manifest = json(await manifestOf(id, await entriesOf(files)));
  await writeFolder(out, { ...files, [MANIFEST]: manifest });
  console.log((await parseManifest(manifest, id)).digest);
}

async function readTensors(path: string): Promise<readonly Tensor[]> {
  return readSafetensors(await bytesOf(path), path).map((tensor) => ({
    ...tensor,
    name: bundleName(tensor.name),
  }));
}

async function readLabels(path: string): Promise<readonly ClassLabel[]> {
  const label = z.object({ label: z.string(), common_name: z.string().min(1) });
  return z.array(label).parse(JSON.parse(await readFile(path, 'utf8')));
}

/** Every part in shards of its own. */
function shardsOf(tensors: readonly Tensor[]): SmallFiles {
  const parts = PARTS.map((part) => tensors.filter(({ name }) => part.test(name)));
  const shards = cutIntoShards(parts, ({ data }) => ({ count: 1, bytes: data.length }));
  return Object.fromEntries(
    shards.map(({ name, items }) => [name, writeSafetensors(items.toSorted(byName))]),
  );
}

function byName(a: Tensor, b: Tensor): number {
  return a.name < b.name ? -1 : 1;
}

function placedIn(shards: SmallFiles): readonly PlacedTensor[] {
  return Object.entries(shards).flatMap(([shard, bytes]) =>
    readSafetensors(bytes, shard).map(({ name, data }) => ({ name, shard, bytes: data.length })),
  );
}

async function entriesOf(files: SmallFiles): Promise<Readonly<Record<string, FileEntry>>> {
  const entries = Object.entries(files).map(async ([name, bytes]) => [name, await fileEntry(bytes)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** Refuses a folder that holds anything else, so that no stale shard is ever uploaded. */
async function writeFolder(folder: string, files: SmallFiles): Promise<void> {
  await mkdir(folder, { recursive: true });
  const strangers = (await readdir(folder)).filter((name) => !(name in files));
  if (strangers.length > 0) throw new Error(`${folder} holds other files: remove ${strangers.join(', ')}`);
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
}

/** A copy, since Node's own may be a view of a shared pool. */
async function bytesOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(path));
}

/** A text file that belongs to this script. */
async function readOwn(name: string): Promise<string> {
  return readFile(new URL(`./bundle/${name}`, import.meta.url), 'utf8');
}
