import { readFileSync } from 'node:fs';
import { corpus } from './corpus.ts';
import { checkRows, preprocess, verdict, type Result } from './judge.ts';
import { mutant, type Mutant } from './mutants.ts';

/** One file to be tried: of the corpus by its place, or a mutant by its seed. */
export type Trial =
  | {
      readonly specimen: number;
      /** Where the file was written; else it is made here. */ readonly file?: string;
    }
  | { readonly seed: number; readonly mutant: number };

export interface Outcome {
  readonly name: string;
  /** "picture" or an error's code. */
  readonly outcome: string;
  /** In words, where this is not what must come of the file. */
  readonly failure: string | null;
  /** By the clock or by the processor, whichever is less: the machine may be busy with other work. */
  readonly ms: number;
}

/** @param begin is called when the file is made, before it is judged. */
export async function tryOut(trial: Trial, begin: () => void): Promise<Outcome> {
  if ('specimen' in trial) {
    const specimen = corpus[trial.specimen];
    if (!specimen) throw new Error(`no specimen ${trial.specimen}`);
    const { result, ms } = await timed(
      trial.file === undefined ? specimen.bytes() : new Uint8Array(readFileSync(trial.file)),
      begin,
    );
    return { name: specimen.name, outcome: nameOf(result), failure: verdict(result, specimen.expected), ms };
  }
  const made = mutant(trial.seed, trial.mutant);
  const { result, ms } = await timed(made.bytes, begin);
  const name = `mutant ${trial.mutant} of seed ${trial.seed} (${made.name})`;
  return { name, outcome: nameOf(result), failure: await mutantVerdict(made, result), ms };
}

async function timed(bytes: Uint8Array, begin: () => void): Promise<{ result: Result; ms: number }> {
  begin();
  const start = performance.now();
  const before = process.cpuUsage();
  const result = await preprocess(bytes);
  const { user, system } = process.cpuUsage(before);
  return { result, ms: Math.min(performance.now() - start, (user + system) / 1000) };
}

const nameOf = (result: Result): string =>
  'picture' in result ? 'picture' : 'code' in result ? result.code : 'broken';

async function mutantVerdict({ bytes, may, original }: Mutant, result: Result): Promise<string | null> {
  const whole = await preprocess(original);
  if (!('picture' in whole)) return 'the valid file is not read';
  if ('broken' in result) return result.broken;
  if ('code' in result) return null;
  if (may === 'refused') return 'a picture from altered data';
  if (may === 'any') return checkRows(bytes);
  const isSame = whole.picture.every((value, i) => value === result.picture[i]);
  return isSame ? null : 'another picture than that of the valid file';
}
