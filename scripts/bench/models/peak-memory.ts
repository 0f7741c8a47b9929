import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** @returns bytes by which a fresh process grows up to its first answer: see child.ts */
export function peakMemory(kind: 'glimpse' | 'fp32' | 'q4', photo: string, folder: string): number {
  const script = join(import.meta.dirname, 'child.ts');
  return Number(execFileSync(process.execPath, [script, kind, photo, folder], { encoding: 'utf8' }));
}
