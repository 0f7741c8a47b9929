import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { generationOptions, type GenerationOptions } from '../../src/generation/config.ts';
import { textFields } from '../../src/routes/text-fields.ts';
import { validate } from '../../src/routes/validate.ts';
import { fromUser, ROOT } from '../cli/paths.ts';

export interface AskArguments {
  readonly photo: string;
  readonly prompt: string;
  /** A bundle's folder. */
  readonly bundle: string;
  readonly verbose: boolean;
  readonly generation: GenerationOptions;
}

/** Generation options by their flags: `max_new_tokens` is `--max-new-tokens`. */
const FLAGS = Object.entries(generationOptions.shape).map(([name, schema]) => ({
  name,
  flag: name.replaceAll('_', '-'),
  type:
    z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }).type === 'boolean'
      ? ('boolean' as const)
      : ('string' as const),
}));

export const ASK_USAGE = `npm run --silent ask -- <photo> <prompt> [options]

  --bundle <folder>  the model (default: model-shards/glimpse-10m)
  --verbose          timings by stage, on stderr
${FLAGS.map(({ flag, type }) => `  --${flag}${type === 'string' ? ' <value>' : ''}`).join('\n')}`;

/** @throws Error that says what is wrong */
export function parseAskArguments(args: readonly string[]): AskArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...Object.fromEntries(FLAGS.map(({ flag, type }) => [flag, { type, multiple: true }])),
      bundle: { type: 'string', default: join(ROOT, 'model-shards/glimpse-10m') },
      verbose: { type: 'boolean', default: false },
    },
  });
  const [photo, prompt, ...more] = positionals;
  if (photo === undefined) throw new Error('There is no photo.');
  if (prompt === undefined || prompt.trim() === '') {
    throw new Error('There is no prompt: say what to answer about the photo.');
  }
  if (more.length > 0) throw new Error(`What is ${JSON.stringify(more[0])}? Put the prompt in quotes.`);
  const { bundle, verbose, ...given } = values;
  return {
    photo: fromUser(photo),
    prompt,
    bundle: fromUser(bundle),
    verbose,
    generation: generationOf(given),
  };
}

function generationOf(given: Readonly<Record<string, unknown>>): GenerationOptions {
  const entries = FLAGS.flatMap(({ name, flag }) =>
    z
      .array(z.coerce.string())
      .parse(given[flag] ?? [])
      .map((text) => [name, text] as const),
  );
  return validate(generationOptions, textFields(entries, generationOptions));
}
