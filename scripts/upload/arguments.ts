import { parseArgs } from 'node:util';
import { fromUser } from '../cli/paths.ts';

export interface UploadArguments {
  /** The bundle's folder: its name is its id. */
  readonly bundle: string;
  readonly bucket: string;
  /** The account's bucket, or that of `wrangler dev` on this machine. */
  readonly remote: boolean;
}

export const UPLOAD_USAGE = `npm run upload -- <bundle> --bucket <name> [options]

  <bundle>         a folder with a manifest.json, such as model-shards/glimpse-10m
  --bucket <name>  the R2 bucket: bucket_name in wrangler.toml
  --remote         your account's bucket (npx wrangler login); without it, the one of wrangler dev`;

/** @throws Error that says what is wrong */
export function parseUploadArguments(args: readonly string[]): UploadArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { bucket: { type: 'string' }, remote: { type: 'boolean', default: false } },
  });
  const [bundle, ...more] = positionals;
  if (bundle === undefined) throw new Error('Which bundle? Give its folder.');
  if (more.length > 0) throw new Error(`One bundle at a time: what is ${JSON.stringify(more[0])}?`);
  if (values.bucket === undefined) throw new Error('Into which bucket? Give --bucket.');
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(values.bucket)) {
    throw new Error(
      `${values.bucket} is no name of an R2 bucket: 3 to 63 lowercase letters, digits and hyphens.`,
    );
  }
  return { bundle: fromUser(bundle), bucket: values.bucket, remote: values.remote };
}
