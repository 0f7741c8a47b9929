import { z } from 'zod';

export interface Command<Arguments> {
  readonly usage: string;
  /** @throws Error that says what is wrong with the arguments */
  readonly parse: (args: readonly string[]) => Arguments;
  readonly run: (args: Arguments) => Promise<void>;
}

/** Runs a script as a command. Exit code 2 with the usage for wrong arguments, 1 for a failure: in words, no stack. */
export async function runCommand<Arguments>({ usage, parse, run }: Command<Arguments>): Promise<void> {
  const given = process.argv.slice(2);
  if (given.includes('--help')) {
    console.log(usage);
    return;
  }
  let args: Arguments;
  try {
    args = parse(given);
  } catch (error) {
    console.error(`${words(error)}\n\n${usage}`);
    process.exitCode = 2;
    return;
  }
  try {
    await run(args);
  } catch (error) {
    console.error(words(error));
    process.exitCode = 1;
  }
}

function words(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  return error instanceof Error ? error.message : String(error);
}
