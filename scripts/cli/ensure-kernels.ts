import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.ts';

const BUILDER = join(ROOT, 'scripts/build-kernels.ts');
const BUILDS = ['relaxed', 'simd'].map((build) => join(ROOT, `build/kernels.${build}.wasm`));

/**
 * Compiles the kernels unless they are newer than their sources.
 * @throws Error with what the compiler said
 */
export function ensureKernels(): void {
  const folder = join(ROOT, 'src/kernels/assembly');
  const sources = [BUILDER, ...readdirSync(folder).map((name) => join(folder, name))];
  const newest = Math.max(...sources.map(modified));
  if (BUILDS.every((build) => modified(build) > newest)) return;
  const { status, stderr } = spawnSync(process.execPath, [BUILDER], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`The kernels could not be compiled:\n${stderr}`);
}

/** -Infinity where there is no such file. */
function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
}
