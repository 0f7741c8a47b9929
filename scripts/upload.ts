/** Puts a bundle into an R2 bucket, of `wrangler dev` or of your account. Run again, it sends what is not there yet. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SingleBar } from 'cli-progress';
import { z } from 'zod';
import { MANIFEST } from '../src/bundle/manifest.ts';
import { runCommand } from './cli/run-command.ts';
import { UPLOAD_USAGE, parseUploadArguments, type UploadArguments } from './upload/arguments.ts';
import { namedBuckets } from './upload/named-buckets.ts';
import { withBucket } from './upload/open-bucket.ts';
import { uploadBundle, type UploadedFile } from './upload/upload-bundle.ts';

await runCommand({ usage: UPLOAD_USAGE, parse: parseUploadArguments, run: upload });

async function upload({ bundle, bucket, remote }: UploadArguments): Promise<void> {
  if (!remote) console.error(localBucket(bucket, await namedBuckets()));
  const done: UploadedFile[] = [];
  const bar = new SingleBar({ format: '{bar} {value}/{total} files  {name}', noTTYOutput: true });
  bar.start(await countFiles(bundle), 0, { name: '' });
  try {
    await withBucket(bucket, { remote }, async (r2) => {
      for await (const file of uploadBundle(bundle, r2)) {
        done.push(file);
        bar.increment(1, { name: file.name });
      }
    });
  } finally {
    bar.stop();
  }
  const sent = done.filter(({ uploaded }) => uploaded);
  const bytes = sent.reduce((sum, { size }) => sum + size, 0);
  console.log(
    `${sent.length} files (${(bytes / 1e6).toFixed(1)} MB) put into ${bucket}, ${done.length - sent.length} were there.`,
  );
}

/** `wrangler dev` has every bucket that is asked for: a wrong name is no error there. */
function localBucket(bucket: string, named: readonly string[]): string {
  const here = `Into the bucket ${bucket} of wrangler dev on this machine (--remote: of your account).`;
  if (named.includes(bucket)) return here;
  return `${here} No binding in wrangler.toml names it: bucket_name is ${named.join(', ')} there.`;
}

/** The manifest itself among them. A folder without one is told of by the upload. */
async function countFiles(bundle: string): Promise<number> {
  const text = await readFile(join(bundle, MANIFEST), 'utf8').catch(() => '{"files":{}}');
  return (
    1 +
    Object.keys(z.object({ files: z.record(z.string(), z.unknown()) }).parse(JSON.parse(text)).files).length
  );
}
