import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { fromUser, ROOT } from '../cli/paths.ts';

export interface EvalArguments {
  readonly data: string;
  readonly goldens: string | undefined;
  /** A bundle's folder. */
  readonly bundle: string;
  readonly num_beams: readonly number[];
  readonly limit: number | undefined;
  readonly out: string | undefined;
}

export const EVAL_USAGE = `npm run eval -- --data <folder> [options]

  --data <folder>     dev/*.jpg, dev_captions.csv and dev_questions.csv
  --goldens <folder>  goldens.json, whose figures those of greedy decoding must reach
  --bundle <folder>   the model (default: model-shards/glimpse-10m)
  --num-beams <n>     1 (the default) is greedy; more than one value: in one run, side by side
  --limit <photos>    only the first
  --out <file>        writes the figures as JSON`;

/** @throws Error that says what is wrong */
export function parseEvalArguments(args: readonly string[]): EvalArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: 'string' },
      goldens: { type: 'string' },
      bundle: { type: 'string', default: join(ROOT, 'model-shards/glimpse-10m') },
      'num-beams': { type: 'string', multiple: true, default: ['1'] },
      limit: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const { data, goldens, bundle, limit, out } = values;
  if (data === undefined) throw new Error('Where are the photos? Give --data.');
  if (limit !== undefined && goldens !== undefined) {
    throw new Error(
      "--limit gives figures that do not compare with the goldens' of all photos: leave out one of them.",
    );
  }
  return {
    data: fromUser(data),
    goldens: goldens === undefined ? undefined : fromUser(goldens),
    bundle: fromUser(bundle),
    num_beams: values['num-beams'].map((given) => count('num-beams', given)),
    limit: limit === undefined ? undefined : count('limit', limit),
    out: out === undefined ? undefined : fromUser(out),
  };
}

function count(option: string, given: string): number {
  const parsed = z.coerce.number().int().min(1).safeParse(given);
  if (!parsed.success) throw new Error(`--${option} is a whole number of at least 1, not ${given}.`);
  return parsed.data;
}
