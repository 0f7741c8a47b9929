import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { R2Bucket } from '@cloudflare/workers-types';
import { getPlatformProxy } from 'wrangler';
import { ROOT } from '../cli/paths.ts';

/** Where `wrangler dev` keeps its own buckets. */
const LOCAL_STATE = join(ROOT, '.wrangler/state/v3');

/**
 * Hands a bucket to `work` by wrangler's own binding, local or remote: the same interface that the Worker has.
 * wrangler reads bindings from a configuration file alone, so one is written for the while.
 */
export async function withBucket(
  name: string,
  { remote, state = LOCAL_STATE }: { readonly remote: boolean; readonly state?: string },
  work: (bucket: R2Bucket) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-upload-'));
  try {
    const configPath = join(folder, 'wrangler.json');
    const r2_buckets = [{ binding: 'BUCKET', bucket_name: name, remote }];
    await writeFile(
      configPath,
      JSON.stringify({ name: 'glimpse-upload', compatibility_date: '2026-10-01', r2_buckets }),
    );
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
  } finally {
    await rm(folder, { recursive: true });
  }
}
