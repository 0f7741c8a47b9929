import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleId } from '../bundle/bundle-id.ts';
import type { Destination } from '../bundle/target.ts';
import { fromUser, ROOT } from '../cli/paths.ts';

export interface ImportArguments extends Destination {
  /** A Hugging Face model folder. */
  readonly folder: string;
  readonly eightBit: readonly RegExp[];
  readonly dryRun: boolean;
  readonly check: boolean;
  /** A folder of them, to calibrate with. */
  readonly photos: string | undefined;
}

export const IMPORT_USAGE = `npm run import -- <folder> --id NAME [options]

  <folder>        a model as published on Hugging Face: config.json, *.safetensors, tokenizer.json, ...
  --id NAME       the bundle's name: letters, digits, dots, dashes, underscores
  --out <folder>  where bundles lie (default: model-shards)
  --replace       puts it in the place of another bundle of that name
  --8bit <regex>  layers that get 8 bits instead of 4, by their names in the bundle; several times if need be
  --calibrate <folder>
                  rounds for what the layers read when the model describes the folder's photos (.jpg, .jpeg,
                  .png): outputs err less, the import takes longer
  --dry-run       writes nothing: prints the sizes, and what memory the model takes in an isolate
  --check         runs a sample with the published weights and with the bundle's: prints the error by layer`;

/** @throws Error that says what is wrong */
export function parseImportArguments(args: readonly string[]): ImportArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      id: { type: 'string' },
      out: { type: 'string' },
      '8bit': { type: 'string', multiple: true, default: [] },
      replace: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      calibrate: { type: 'string' },
    },
  });
  const [folder, ...more] = positionals;
  if (folder === undefined) throw new Error('There is no model folder.');
  if (more.length > 0) throw new Error(`What is ${JSON.stringify(more[0])}? One folder at a time.`);
  return {
    folder: fromUser(folder),
    id: bundleId(values.id),
    out: values.out === undefined ? join(ROOT, 'model-shards') : fromUser(values.out),
    replace: values.replace,
    eightBit: values['8bit'].map(pattern),
    dryRun: values['dry-run'],
    check: values.check,
    photos: values.calibrate === undefined ? undefined : fromUser(values.calibrate),
  };
}

function pattern(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (cause) {
    throw new Error(`--8bit ${source} is no regular expression.`, { cause });
  }
}
