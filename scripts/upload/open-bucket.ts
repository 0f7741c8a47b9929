import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { R2Bucket } from '@cloudflare/workers-types';
import { getPlatformProxy } from 'wrangler';
import { ROOT } from '../cli/paths.ts';

/** Where `wrangler dev` keeps its own buckets. */
const LOCAL_STATE = join(ROOT, '.wrangler/state/v3');
/** Beside it. */
const CONFIGS = join(ROOT, '.wrangler/upload');

/**
 * Hands a bucket to `work` by wrangler's own binding, local or remote: the same interface that the Worker has.
 * wrangler reads bindings from a configuration file alone, so one is written: always the same for a bucket, so that
 * it may lie there when an upload is broken off.
 */
export async function withBucket(
  name: string,
  { remote, state = LOCAL_STATE }: { readonly remote: boolean; readonly state?: string },
  work: (bucket: R2Bucket) => Promise<void>,
): Promise<void> {
  const configPath = join(CONFIGS, `${name}.${remote ? 'remote' : 'local'}.json`);
  const r2_buckets = [{ binding: 'BUCKET', bucket_name: name, remote }];
  const config = { name: 'glimpse-upload', compatibility_date: '2026-10-01', r2_buckets };
  await mkdir(CONFIGS, { recursive: true });
  await writeFile(configPath, JSON.stringify(config));
  const { env, dispose } = await getPlatformProxy<{ BUCKET: R2Bucket }>({
    configPath,
    persist: { path: state },
    remoteBindings: remote,
  });
  try {
    await work(env.BUCKET);
  } finally {
    await dispose();
  }
}
