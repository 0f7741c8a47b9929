import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

// wrangler's own; its main module gives the path of this platform's binary, without types.
const { default: workerd } = createRequire(import.meta.url)('workerd') as { default: string };
const wrangler = fileURLToPath(new URL('../../node_modules/wrangler/bin/wrangler.js', import.meta.url));

const COMPATIBILITY_DATE = '2026-10-01';

export interface BareWorkerd {
  readonly url: URL;
  close(): Promise<void>;
}

/**
 * workerd without wrangler's proxy in front, behind which a Worker never learns that its client has left.
 * @param main a Worker's file; it has no bindings
 */
export async function startBareWorkerd(main: URL): Promise<BareWorkerd> {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-workerd-'));
  await bundle(main, folder);
  await writeFile(join(folder, 'config.capnp'), capnp(`${basename(main.pathname, '.ts')}.js`));
  const runtime = spawn(workerd, ['serve', 'config.capnp', '--control-fd=3'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const port = await listening(runtime.stdio[3] as Readable);
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    async close() {
      runtime.kill('SIGKILL'); // asked politely, it waits for its last request
      await rm(folder, { recursive: true });
    },
  };
}

async function bundle(main: URL, folder: string): Promise<void> {
  const config = join(folder, 'wrangler.json');
  await writeFile(
    config,
    JSON.stringify({ name: 'worker', main: fileURLToPath(main), compatibility_date: COMPATIBILITY_DATE }),
  );
  const parameters = ['deploy', '--dry-run', '--config', config, '--outdir', folder];
  await promisify(execFile)(process.execPath, [wrangler, ...parameters]);
}

const capnp = (name: string): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "${name}")],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  compatibilityFlags = ["enable_request_signal"]);
`;

/** workerd says on its control channel, a JSON object a line, which port it got. */
async function listening(control: Readable): Promise<number> {
  for await (const chunk of control) {
    for (const line of String(chunk).split('\n').filter(Boolean)) {
      const { event, port } = JSON.parse(line) as { event: string; port: number };
      if (event === 'listen') return port;
    }
  }
  throw new Error('workerd ended before it listened');
}
