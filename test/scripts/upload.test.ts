import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { R2Bucket } from '@cloudflare/workers-types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withBucket } from '../../scripts/upload/open-bucket.ts';
import { uploadBundle, type UploadedFile } from '../../scripts/upload/upload-bundle.ts';
import { openBundle } from '../../src/bundle/bundle.ts';
import { fileSource } from '../../src/bundle/sources/file.ts';
import { SHARDS } from '../model/default-model.ts';
import { run } from './command.ts';

const ID = 'glimpse-10m';
const SHARD = SHARDS.classifier;
let state: string;
let bundle: string;

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), 'glimpse-r2-'));
  bundle = join(state, ID);
  await cp(`model-shards/${ID}`, bundle, { recursive: true });
});
afterAll(() => rm(state, { recursive: true }));

const inBucket = (work: (bucket: R2Bucket) => Promise<void>): Promise<void> =>
  withBucket('bundles', { remote: false, state: join(state, 'wrangler') }, work);

async function upload(bucket: R2Bucket): Promise<readonly UploadedFile[]> {
  const files: UploadedFile[] = [];
  for await (const file of uploadBundle(bundle, bucket)) files.push(file);
  return files;
}

const sent = (files: readonly UploadedFile[]): readonly string[] =>
  files.filter(({ uploaded }) => uploaded).map(({ name }) => name);

describe('a bundle in a local R2 bucket', () => {
  it('arrives whole, its manifest last, and opens as one', () =>
    inBucket(async (bucket) => {
      const files = await upload(bucket);
      expect(sent(files)).toHaveLength(files.length);
      expect(files.at(-1)?.name).toBe('manifest.json');
      const back = join(state, 'back', ID);
      await mkdir(back, { recursive: true });
      for (const { name } of files) {
        const object = await bucket.get(`${ID}/${name}`);
        await writeFile(join(back, name), new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer()));
      }
      const opened = await openBundle(fileSource(join(state, 'back')), ID);
      for (const { name } of files.slice(0, -1)) await opened.text(name); // checks its SHA-256
    }));

  it('is not sent again, but for what is not there or is another', () =>
    inBucket(async (bucket) => {
      expect(sent(await upload(bucket))).toEqual([]);
      await bucket.delete(`${ID}/${SHARD}`);
      await bucket.put(`${ID}/config.json`, '{}');
      expect(sent(await upload(bucket)).toSorted()).toEqual(['config.json', SHARD]);
    }));

  it('is refused where a file is not what the manifest says, before it is sent', () =>
    inBucket(async (bucket) => {
      await bucket.delete(`${ID}/${SHARD}`);
      const bytes = await readFile(join(bundle, SHARD));
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      await writeFile(join(bundle, SHARD), bytes);
      await expect(upload(bucket)).rejects.toThrow(SHARD);
      expect(await bucket.head(`${ID}/${SHARD}`)).toBeNull();
    }));
});

it('says which bucket it is, and that no binding names it', async () => {
  const { code, stderr } = await run('upload.ts', ['src', '--bucket', 'glimpse-bundels']);
  expect(code).toBe(1);
  expect(stderr).toContain('the bucket glimpse-bundels of wrangler dev on this machine');
  expect(stderr).toContain('No binding in wrangler.toml names it: bucket_name is glimpse-bundles there.');
  const named = await run('upload.ts', ['src', '--bucket', 'glimpse-bundles']);
  expect(named.stderr).not.toContain('No binding');
});

it('leaves nothing in the folder for temporary files when it is broken off', async () => {
  const TMPDIR = join(state, 'tmp');
  await mkdir(TMPDIR);
  const args = ['scripts/upload.ts', `model-shards/${ID}`, '--bucket', 'bundles-broken-off'];
  const child = spawn(process.execPath, args, { env: { ...process.env, TMPDIR } });
  const closed = once(child, 'close');
  await once(child.stderr, 'data'); // its first words
  await setTimeout(200); // wrangler takes a second to open the bucket
  child.kill('SIGINT');
  await closed;
  expect((await readdir(TMPDIR)).filter((name) => name.includes('glimpse'))).toEqual([]);
});

it.each([
  ['no bundle', ['--bucket', 'b-1'], 2, 'Which bundle?'],
  ['no bucket', ['model-shards/glimpse-10m'], 2, 'Into which bucket?'],
  ['a bucket that cannot be', ['model-shards/glimpse-10m', '--bucket', 'My Bucket'], 2, 'My Bucket'],
  ['a folder that is no bundle', ['src', '--bucket', 'bundles'], 1, 'manifest.json'],
])('the command fails in words: %s', async (_, args, code, said) => {
  const ended = await run('upload.ts', args);
  expect(ended.code).toBe(code);
  expect(ended.stderr).toContain(said);
  expect(ended.stderr).not.toMatch(/^ +at /m);
});
