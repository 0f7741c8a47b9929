import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { unstable_readConfig } from 'wrangler';
import { descendants, mainThreadStat, residentBytes, stat } from './proc.ts';
import { setTimeout as sleep } from 'node:timers/promises';

/** The Worker as `wrangler deploy` would upload it, in a folder. */
export interface WorkerBuild {
  readonly folder: string;
  /** Code and WebAssembly. The model bundle is uploaded apart, as static assets. */
  readonly bytes: number;
  readonly gzip_bytes: number;
}

const WRANGLER = 'node_modules/wrangler/bin/wrangler.js';
const ENVIRONMENT = { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_SEND_METRICS: 'false' };

export interface WorkerOptions {
  /** Of wrangler.toml; the default Worker where it is left out. */
  readonly env?: string;
  /** The bundle that it serves, and where bundles lie: wrangler.toml says, where these are left out. */
  readonly bundle?: string;
  readonly bundles?: string;
}

export function buildWorker(folder: string, options: WorkerOptions = {}): WorkerBuild {
  const env = options.env === undefined ? [] : ['--env', options.env];
  const args = [WRANGLER, 'deploy', '--dry-run', '--outdir', folder, ...env];
  execFileSync(process.execPath, args, { env: ENVIRONMENT, stdio: 'pipe' });
  const names = readdirSync(folder).filter((name) => !/\.(map|md)$/.test(name));
  const files = names.map((name) => readFileSync(join(folder, name)));
  writeFileSync(join(folder, CONFIG), JSON.stringify(configOf(names, options)));
  const total = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0);
  return {
    folder,
    bytes: total(files.map((file) => file.length)),
    gzip_bytes: total(files.map((file) => gzipSync(file).length)),
  };
}

const CONFIG = 'wrangler.json';

/** What of wrangler's own type is read here; that one is not exported in full. */
interface WorkerConfig {
  readonly name?: string;
  readonly compatibility_date?: string;
  readonly compatibility_flags?: readonly string[];
  readonly vars?: object;
  readonly assets?: { readonly directory?: string };
}

/** wrangler.toml for what is bundled already, so that nobody's edit to a source restarts a Worker under test. */
function configOf(names: readonly string[], { env, bundle, bundles }: WorkerOptions): object {
  const config = unstable_readConfig({ config: 'wrangler.toml', env }) as WorkerConfig;
  const { name, compatibility_date, compatibility_flags, vars, assets } = config;
  const data = names.filter((file) => file !== 'index.js' && !file.endsWith('.wasm'));
  return {
    ...{ name, compatibility_date, compatibility_flags, main: 'index.js', no_bundle: true },
    vars: bundle === undefined ? vars : { ...vars, BUNDLE: bundle },
    assets: { ...assets, directory: resolve(bundles ?? assets?.directory ?? '') },
    rules: data.length > 0 ? [{ type: 'Data', globs: data }] : [],
  };
}

/** User and system time in milliseconds; ticks of 10. */
export interface CpuTime {
  /** All threads: V8's compiler and collector are in it. */
  readonly process: number;
  /** The thread that runs the Worker, and in workerd its HTTP as well. */
  readonly thread: number;
}

/**
 * A build in the real workerd, under `wrangler dev`, which runs two: one for the Worker, its assets and
 * its caches, and one in front of it that passes requests on. Figures are the first one's: it is known by
 * its having worked most since it started, so ask the Worker something first. Linux: they come from /proc.
 */
export interface Server {
  readonly url: string;
  /** Milliseconds until it answered /health: wrangler's own start included. */
  readonly start_ms: number;
  /** CPU time since then. */
  cpu(): CpuTime;
  /** Bytes resident then, and at most since. */
  resident(): { readonly idle: number; readonly peak: number };
  stop(): Promise<void>;
}

/** @param state where the Cache API is kept: the same folder, the same cache */
export async function startServer({ folder }: WorkerBuild, state: string): Promise<Server> {
  const port = await freePort();
  const start = performance.now();
  const child = spawn(
    process.execPath,
    [
      ...[WRANGLER, 'dev', '--config', join(folder, CONFIG)],
      ...['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', String(await freePort())],
      ...['--persist-to', state, '--show-interactive-dev-session', 'false', '--log-level', 'error'],
    ],
    { env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(url))) {
    if (child.exitCode !== null) throw new Error(`wrangler dev ended with ${child.exitCode}`);
    await sleep(10);
  }
  const start_ms = performance.now() - start;
  const cpuOf = (pid: number): CpuTime => ({
    process: stat(pid)?.cpuMs ?? NaN,
    thread: mainThreadStat(pid)?.cpuMs ?? NaN,
  });
  const workers = descendants(child.pid ?? 0)
    .filter((pid) => stat(pid)?.name === 'workerd')
    .map((pid) => ({ pid, idle: cpuOf(pid), idleBytes: residentBytes(pid, 'VmRSS') }));
  if (workers.length === 0) throw new Error('wrangler dev runs no workerd');
  for (const { pid } of workers) writeFileSync(`/proc/${pid}/clear_refs`, '5'); // sets VmHWM back to VmRSS
  const busiest = () => {
    const used = workers.map((worker) => ({ ...worker, cpu: less(cpuOf(worker.pid), worker.idle) }));
    return used.reduce((most, next) => (next.cpu.process > most.cpu.process ? next : most));
  };
  return {
    url,
    start_ms,
    cpu: () => busiest().cpu,
    resident() {
      const { pid, idleBytes } = busiest();
      return { idle: idleBytes, peak: residentBytes(pid, 'VmHWM') };
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

export function less(a: CpuTime, b: CpuTime): CpuTime {
  return { process: a.process - b.process, thread: a.thread - b.thread };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      probe.close(() => (port === undefined ? reject(new Error('no free port')) : resolve(port)));
    });
  });
}
