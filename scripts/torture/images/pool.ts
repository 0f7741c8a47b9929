import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Outcome, Trial } from './trial.ts';

export interface Measured extends Outcome {
  /** Growth of the resident set at its highest over the idle process; null for mutants. */
  readonly peak_mb: number | null;
}

/** After this a file counts as hanging: its process is killed. Making the file is in it. */
const PATIENCE_MS = 60_000;

/** Tries files one after another, in a process that outlives neither a hang nor a crash. */
export interface Pool {
  /** @param alone in a fresh process, so that the memory is this file's own */
  run(trial: Trial, alone?: boolean): Promise<Measured>;
  close(): void;
}

export function createPool(): Pool {
  let child: ChildProcess | null = null;
  const close = (): void => {
    child?.kill('SIGKILL');
    child = null;
  };
  return {
    async run(trial, alone = false) {
      if (alone) close();
      child ??= fork(join(import.meta.dirname, 'child.ts'), { execArgv: ['--expose-gc'] });
      const measured = await answerOf(child, trial);
      if (alone || measured.outcome === 'hang' || measured.outcome === 'crash') close();
      return measured;
    },
    close,
  };
}

function answerOf(child: ChildProcess, trial: Trial): Promise<Measured> {
  return new Promise((resolve) => {
    const end = (measured: Measured): void => {
      clearTimeout(timer);
      child.off('message', end).off('exit', crashed);
      resolve(measured);
    };
    const name = JSON.stringify(trial);
    const lost = { name, ms: PATIENCE_MS, peak_mb: null };
    const crashed = (code: number | null, signal: string | null): void =>
      end({ ...lost, outcome: 'crash', failure: `the process ended with ${signal ?? String(code)}` });
    const timer = setTimeout(() => end({ ...lost, outcome: 'hang', failure: 'it hangs' }), PATIENCE_MS);
    child.on('message', end).on('exit', crashed);
    child.send(trial);
  });
}
