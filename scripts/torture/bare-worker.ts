import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { unstable_readConfig } from 'wrangler';
import { residentBytes } from '../bench/proc.ts';
import { buildWorker } from '../bench/server.ts';
import { connectInspector, type Inspector } from './inspector.ts';

// wrangler's own; its main module gives the path of this platform's binary, without types.
const { default: workerd } = createRequire(import.meta.url)('workerd') as { default: string };

/**
 * The Worker as it is deployed, alone in a workerd: no proxy stands in front, which would hide a client's
 * leaving, and what the process holds is the runtime's and the isolate's. Its caches are its memory's:
 * workerd alone has no Cache API to offer.
 */
export interface BareWorker {
  readonly url: string;
  /** Bytes. Linux: from /proc. */
  resident(field: 'VmRSS' | 'VmHWM'): number;
  /** Sets VmHWM back to what is resident now. */
  resetPeak(): void;
  readonly inspector: Inspector;
  /** Has V8 collect all its garbage, as soon as the isolate has its turn. */
  collect(): Promise<void>;
  /** Bytes of all of WebAssembly's memory, which the inspector does not count. */
  wasmBytes(): Promise<number>;
  close(): void;
}

/**
 * @param vars over those of wrangler.toml
 * @param bundles the folder that bundles lie in; wrangler.toml says, where it is left out
 */
export async function startBareWorker(
  vars: Readonly<Record<string, string>> = {},
  bundles?: string,
): Promise<BareWorker> {
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-torture-'));
  buildWorker(folder);
  writeFileSync(join(folder, MAIN), WATCHED);
  writeFileSync(join(folder, 'config.capnp'), capnp(folder, vars, bundles));
  const runtime = spawn(
    workerd,
    ['serve', 'config.capnp', '--control-fd=3', '--inspector-addr=127.0.0.1:0'],
    {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'], // its log has a line for every cache that is not there
    },
  );
  const { pid } = runtime;
  if (pid === undefined) throw new Error('workerd did not start');
  const ports = await listening(runtime.stdio[3] as Readable);
  const inspector = await connectInspector(ports.inspector);
  const url = `http://127.0.0.1:${ports.http}`;
  return {
    url,
    inspector,
    resident: (field) => residentBytes(pid, field),
    resetPeak: () => writeFileSync(`/proc/${pid}/clear_refs`, '5'),
    async collect() {
      await fetch(url + COLLECT);
    },
    wasmBytes: async () => Number(await (await fetch(url + WASM)).text()),
    close() {
      inspector.close();
      runtime.kill('SIGKILL'); // asked politely, it waits for its last request
      rmSync(folder, { recursive: true });
    },
  };
}

const MAIN = 'torture.js';
const COLLECT = '/torture/collect';
const WASM = '/torture/wasm';

/** The Worker with paths of its own besides: for a garbage collection, and for the size of its memories. */
const WATCHED = `import worker from './index.js';
const memories = [];
WebAssembly.Memory = new Proxy(WebAssembly.Memory, {
  construct(Memory, args) {
    const memory = new Memory(...args);
    memories.push(memory);
    return memory;
  },
});
export default {
  fetch(request, env, context) {
    if (request.url.endsWith('${WASM}')) {
      return new Response(memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0));
    }
    if (!request.url.endsWith('${COLLECT}')) return worker.fetch(request, env, context);
    gc();
    return new Response(null, { status: 204 });
  },
};
`;

/** What of wrangler's own type is read here; that one is not exported in full. */
interface WorkerConfig {
  readonly compatibility_date: string;
  readonly compatibility_flags: readonly string[];
  readonly vars: Readonly<Record<string, string>>;
  readonly assets: { readonly directory: string };
}

/** wrangler.toml in workerd's own words. Its assets are a disk service: a file under its path, else 404. */
function capnp(folder: string, vars: Readonly<Record<string, string>>, bundles?: string): string {
  const config = unstable_readConfig({ config: 'wrangler.toml' }) as unknown as WorkerConfig;
  const modules = readdirSync(folder).flatMap((name) => {
    const kind = [MAIN, 'index.js'].includes(name) ? 'esModule' : name.endsWith('.wasm') ? 'wasm' : 'data';
    if (/\.(map|md|json)$/.test(name)) return [];
    return [`(name = ${JSON.stringify(name)}, ${kind} = embed ${JSON.stringify(name)})`];
  });
  modules.sort((a, b) => Number(b.includes(MAIN)) - Number(a.includes(MAIN))); // the first is run
  const bindings = Object.entries({ ...config.vars, ...vars }).map(
    ([name, text]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(text)})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = ["--expose-gc"],
  services = [
    (name = "main", worker = .worker),
    (name = "assets", disk = (path = ${JSON.stringify(resolve(bundles ?? config.assets.directory))}))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);
const worker :Workerd.Worker = (
  modules = [${modules.join(', ')}],
  bindings = [(name = "ASSETS", service = "assets"), ${bindings.join(', ')}],
  compatibilityDate = "${config.compatibility_date}",
  compatibilityFlags = [${config.compatibility_flags.map((flag) => JSON.stringify(flag)).join(', ')}]);
`;
}

/** workerd says on its control channel, a JSON object a line, which ports it got. */
async function listening(control: Readable): Promise<{ readonly http: number; readonly inspector: number }> {
  const ports = new Map<string, number>();
  for await (const chunk of control) {
    for (const line of String(chunk).split('\n').filter(Boolean)) {
      const { event, port } = JSON.parse(line) as { event: string; port: number };
      ports.set(event, port);
    }
    const [http, inspector] = [ports.get('listen'), ports.get('listen-inspector')];
    if (http !== undefined && inspector !== undefined) return { http, inspector };
  }
  throw new Error('workerd ended before it listened');
}
