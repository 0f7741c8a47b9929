import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MemoryReport } from './memory-child.ts';
import { photo } from './photos.ts';
import { startServer, type WorkerBuild } from './server.ts';
import { ask } from './worker.ts';

export interface MemoryResult {
  readonly image: { readonly width: number; readonly height: number; readonly bytes: number };
  /** A collection before every sample: what is alive at once. */
  readonly live: MemoryReport;
  /** The collector left to itself: what the same request holds, garbage included. */
  readonly left: MemoryReport;
  /** Resident set of the real workerd, all of it: when it had answered /health, and at its highest in the request. */
  readonly workerd: { readonly idle: number; readonly peak: number };
}

/** Peak memory of a request with a 12-megapixel baseline JPEG, by three ways of counting. */
export async function benchMemory(build: WorkerBuild): Promise<MemoryResult> {
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-memory-'));
  const [width, height] = [4000, 3000];
  const large = photo(width, height);
  const path = join(folder, 'large.jpg');
  writeFileSync(path, large);
  const child = (mode: 'collect' | 'leave') => {
    const script = join(import.meta.dirname, 'memory-child.ts');
    const output = execFileSync(process.execPath, ['--expose-gc', script, path, mode], { encoding: 'utf8' });
    return JSON.parse(output) as MemoryReport;
  };
  const [live, left] = [child('collect'), child('leave')];
  const workerd = await workerdPeak(build, join(folder, 'state'), large);
  rmSync(folder, { recursive: true });
  return { image: { width, height, bytes: large.length }, live, left, workerd };
}

async function workerdPeak(
  build: WorkerBuild,
  state: string,
  image: Uint8Array<ArrayBuffer>,
): Promise<MemoryResult['workerd']> {
  const server = await startServer(build, state);
  try {
    await ask(server, image, 'miss');
    const { idle, peak } = server.resident();
    return { idle, peak };
  } finally {
    await server.stop();
  }
}
