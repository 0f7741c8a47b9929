import type { R2Bucket } from '@cloudflare/workers-types';
import { createReadStream } from 'node:fs';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestHarness, type TestHarness } from 'wrangler';
import { fileSource } from '../../src/bundle/sources/file.ts';
import { httpSource } from '../../src/bundle/sources/http.ts';
import { reportTensors, type TensorReport } from './tensor-report.ts';

export const ID = 'glimpse-10m';
export const BUNDLE = join('model-shards', ID);

/** A source on a real place, seen from the runtime it is for, and a way to change what lies there. */
export interface Place {
  read(id: string, prefixes: readonly string[]): Promise<TensorReport>;
  /** Replaces a file of the bundle, or takes it away. */
  put(name: string, bytes: Uint8Array | undefined): Promise<void>;
}

export type PlaceName = 'file' | 'HTTP on Node' | 'HTTP in workerd' | 'assets' | 'R2';

export interface Places {
  readonly byName: Readonly<Record<PlaceName, Place>>;
  /** The HTTP place's address: `/moved/` redirects to it, `/broken/` answers 503, `/stalled/` never ends. */
  readonly address: string;
  close(): Promise<void>;
}

export async function openPlaces(): Promise<Places> {
  const [onDisk, served, assets] = await Promise.all([copyBundle(), copyBundle(), copyBundle()]);
  const http = await serve(served);
  const workerd = await startWorker(assets);
  const bucket = ((await workerd.getWorker().getEnv()) as { BUCKET: R2Bucket }).BUCKET;
  const putInBucket = async (name: string, bytes: Uint8Array | undefined) => {
    if (bytes === undefined) await bucket.delete(`${ID}/${name}`);
    else await bucket.put(`${ID}/${name}`, bytes);
  };
  for (const name of await readdir(BUNDLE)) await putInBucket(name, await readFile(join(BUNDLE, name)));

  const readInWorkerd =
    (source: string): Place['read'] =>
    async (id, prefixes) => {
      const query = new URLSearchParams([
        ['source', source],
        ['id', id],
        ...prefixes.map((prefix) => ['prefix', prefix]),
      ]);
      const response = await workerd.fetch(`/?${query.toString()}`);
      return (await response.json()) as TensorReport;
    };

  return {
    byName: {
      file: {
        read: (id, prefixes) => reportTensors(fileSource(onDisk), id, prefixes),
        put: putInFolder(onDisk),
      },
      'HTTP on Node': {
        read: (id, prefixes) => reportTensors(httpSource(http.address), id, prefixes),
        put: putInFolder(served),
      },
      'HTTP in workerd': { read: readInWorkerd(http.address), put: putInFolder(served) },
      assets: { read: readInWorkerd('assets'), put: putInFolder(assets) },
      R2: { read: readInWorkerd('r2'), put: putInBucket },
    },
    address: http.address,
    async close() {
      await Promise.all([workerd.close(), http.close()]);
      await Promise.all([onDisk, served, assets].map((folder) => rm(folder, { recursive: true })));
    },
  };
}

/** A folder with a copy of the bundle in it, to be damaged. */
export async function copyBundle(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-bundle-'));
  await cp(BUNDLE, join(folder, ID), { recursive: true });
  return folder;
}

function putInFolder(folder: string): Place['put'] {
  return async (name, bytes) => {
    const path = join(folder, ID, name);
    await (bytes === undefined ? rm(path) : writeFile(path, bytes));
  };
}

async function serve(folder: string) {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/moved/')) {
      response.writeHead(302, { location: path.replace('/moved/', '/') }).end();
    } else if (path.startsWith('/broken/')) {
      response.writeHead(503).end('not now');
    } else if (path.startsWith('/stalled/')) {
      response.write('{');
    } else {
      createReadStream(join(folder, path))
        .on('error', () => response.writeHead(404).end('no such file'))
        .pipe(response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

async function startWorker(assets: string): Promise<TestHarness> {
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false';
  process.env.WRANGLER_SEND_METRICS = 'false';
  const harness = createTestHarness({
    workers: [
      {
        config: {
          name: 'bundle-sources',
          main: 'test/bundle/worker.ts',
          compatibility_date: '2026-10-01',
          assets: { directory: assets, binding: 'ASSETS', run_worker_first: true },
          r2_buckets: [{ binding: 'BUCKET', bucket_name: 'bundles' }],
        },
      },
    ],
  });
  await harness.listen();
  return harness;
}
