import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBundle } from '../../src/bundle/bundle.ts';
import { digestOf, sha256Hex, type Manifest } from '../../src/bundle/manifest.ts';
import type { ShardSource } from '../../src/bundle/source.ts';
import { fileSource } from '../../src/bundle/sources/file.ts';
import { SHARDS } from '../model/default-model.ts';
import { ID, copyBundle } from './places.ts';

let folder: string;
beforeAll(async () => {
  folder = await copyBundle();
});
afterAll(() => rm(folder, { recursive: true }));

const path = (name: string) => join(folder, ID, name);
const readManifest = async () => JSON.parse(await readFile(path('manifest.json'), 'utf8')) as Manifest;

/** Runs `use` while `name` holds other bytes. */
async function withFile(name: string, text: string, use: () => Promise<void>): Promise<void> {
  const original = await readFile(path(name));
  await writeFile(path(name), text);
  await use().finally(() => writeFile(path(name), original));
}

test('opening fetches the manifest and nothing else', async () => {
  const bundle = await openBundle(fileSource(folder), ID);
  const { digest } = await readManifest();
  expect(bundle).toMatchObject({ id: ID, digest });
  expect(Array.from(bundle.fetched.keys())).toEqual(['manifest.json']);
  expect(bundle.has('config.json')).toBe(true);
  expect(bundle.has('onnx/model.onnx')).toBe(false);
});

test('json is checked against the manifest and counted, each time', async () => {
  const bundle = await openBundle(fileSource(folder), ID);
  expect(await bundle.json('generation_config.json')).toMatchObject({ eos_token_id: 3, max_new_tokens: 40 });
  await withFile('generation_config.json', '{"max_new_tokens":9}', async () => {
    await expect(bundle.json('generation_config.json')).rejects.toMatchObject({ code: 'shard_unavailable' });
  });
  await bundle.json('generation_config.json');
  expect(bundle.fetched.get('generation_config.json')).toEqual({ fetches: 5, bytes: 112 + 3 * 20 + 112 });
  await expect(bundle.json('vocab.json')).rejects.toMatchObject({ code: 'bundle_invalid' });
});

describe('a manifest is refused that', () => {
  const entry = { size: 1, sha256: '0'.repeat(64) };
  /** With the digest that its files have, so that nothing but what the case changes is wrong. */
  const manifest = async (files: Manifest['files'], id = ID) =>
    JSON.stringify({ format_version: 1, id, digest: await digestOf(files), files });

  test.each([
    ['is not JSON', () => '{', /not JSON/],
    [
      'is another bundle’s',
      () => manifest({ 'config.json': entry }, 'other'),
      /belongs to the bundle "other"/,
    ],
    ['is of another format', async () => (await manifest({})).replace(':1', ':2'), /format_version/],
    [
      'lists a shard over 4 MiB',
      () => manifest({ 'a.safetensors': { ...entry, size: 2 ** 22 + 1 } }),
      /shard/,
    ],
    ['lists a path out of its folder', () => manifest({ '../config.json': entry }), /files/],
    [
      'gives a digest of other files',
      async () => (await manifest({ 'config.json': entry })).replace('"size":1', '"size":2'),
      /digest/,
    ],
  ])('%s', async (_, text, why) => {
    await withFile('manifest.json', await text(), async () => {
      const opening = openBundle(fileSource(folder), ID);
      await expect(opening).rejects.toMatchObject({ code: 'shard_unavailable' });
      await expect(opening).rejects.toThrow(why);
    });
    await openBundle(fileSource(folder), ID);
  });
});

test('an index that places a tensor in a shard without it is refused', async () => {
  const index = JSON.stringify({
    weight_map: { 'vision_tower.nonsense.weight': SHARDS.classifier },
  });
  const manifest = await readManifest();
  const name = 'model.safetensors.index.json';
  const bytes = new TextEncoder().encode(index);
  const files = { ...manifest.files, [name]: { size: bytes.length, sha256: await sha256Hex(bytes) } };
  const rebuilt = JSON.stringify({ ...manifest, files, digest: await digestOf(files) });
  await withFile('manifest.json', rebuilt, () =>
    withFile(name, index, async () => {
      const bundle = await openBundle(fileSource(folder), ID);
      const first = bundle.tensors(['vision_tower']).next();
      await expect(first).rejects.toMatchObject({ code: 'bundle_invalid' });
    }),
  );
});

test('parts that load side by side fetch the index once', async () => {
  const bundle = await openBundle(fileSource(folder), ID);
  const parts = ['vision_tower.classifier', 'multi_modal_projector', 'language_model.model.norm'];
  const first = await Promise.all(parts.map((part) => bundle.tensors([part]).next()));
  expect(first.map(({ done }) => done)).toEqual([false, false, false]);
  expect(bundle.fetched.get('model.safetensors.index.json')?.fetches).toBe(1);
});

test('a shard is freed before the next is fetched', async () => {
  const shards = new Set<ArrayBufferLike>();
  const held: number[] = [];
  const disk = fileSource(folder);
  const source: ShardSource = {
    fetch(path) {
      held.push([...shards].filter((shard) => shard.byteLength > 0).length);
      return disk.fetch(path);
    },
  };
  const bundle = await openBundle(source, ID);
  for await (const { data } of bundle.tensors(['vision_tower', 'multi_modal_projector', 'language_model'])) {
    shards.add(data.buffer);
    expect(data.byteLength).toBeGreaterThan(0);
  }
  expect(shards.size).toBe(4);
  expect(held).toEqual(Array.from({ length: 2 + shards.size }, () => 0)); // manifest, index and the shards
});

test('a shard is freed where its reader stops', async () => {
  const bundle = await openBundle(fileSource(folder), ID);
  const tensors = bundle.tensors(['language_model']);
  const { value } = await tensors.next();
  expect(value?.data.byteLength).toBeGreaterThan(0);
  await tensors.return();
  expect(value?.data.byteLength).toBe(0);
});

test('an aborted signal ends a read with its own reason', async () => {
  const bundle = await openBundle(fileSource(folder), ID);
  const reason = new Error('the caller hung up');
  await expect(bundle.json('config.json', AbortSignal.abort(reason))).rejects.toBe(reason);

  const controller = new AbortController();
  const stalled: ShardSource = {
    fetch: () => Promise.resolve(new ReadableStream<Uint8Array>({ type: 'bytes' })),
  };
  const opening = openBundle(stalled, ID, { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 10);
  await expect(opening).rejects.toBe(reason);
});
