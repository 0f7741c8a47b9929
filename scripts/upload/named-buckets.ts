import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../cli/paths.ts';

/** The R2 buckets that a binding in wrangler.toml names, in any of its environments. */
export async function namedBuckets(): Promise<readonly string[]> {
  const config = await readFile(join(ROOT, 'wrangler.toml'), 'utf8');
  return [...config.matchAll(/^\s*bucket_name\s*=\s*["']([^"']+)["']/gm)].map(([, name = '']) => name);
}
