import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script as npm does for a user who stands in `folder`. */
export function run(script: string, args: readonly string[], folder = '.'): Promise<Ended> {
  const child = spawn(process.execPath, [`scripts/${script}`, ...args], {
    env: { ...process.env, INIT_CWD: resolve(folder) },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  return new Promise((settle, fail) => {
    child.on('error', fail);
    child.on('close', (code) => settle({ code, stdout, stderr }));
  });
}
