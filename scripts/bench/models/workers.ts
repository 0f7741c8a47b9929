import { join } from 'node:path';
import type { GenerationOptions } from '../../../src/generation/config.ts';
import { chooseGraphs } from '../../onnx/choose-graphs.ts';
import { importFolder } from '../../onnx/import-folder.ts';
import type { BenchedBundle } from '../pipeline.ts';
import { buildWorker, startServer, type Server } from '../server.ts';
import { ask } from '../worker.ts';
import type { Rival } from './rival.ts';

export const WORKERS = ['Glimpse, workerd', 'ONNX engine q4, workerd'] as const;
export type WorkerName = (typeof WORKERS)[number];

/**
 * Both Workers, each in a workerd of its own, on one model.
 * @param exported the same bundle as export-folder.ts writes it
 * @param folder where Workers are built
 */
export async function withWorkers<T>(
  { bundles, id }: Pick<BenchedBundle, 'bundles' | 'id'>,
  exported: string,
  folder: string,
  use: (servers: Readonly<Record<WorkerName, Server>>) => Promise<T>,
): Promise<T> {
  const imported = join(folder, 'bundles');
  await importFolder(exported, await chooseGraphs(exported, ['q4']), { id, out: imported });
  const glimpse = buildWorker(join(folder, 'worker'), { bundle: id, bundles });
  const onnx = buildWorker(join(folder, 'onnx-worker'), { env: 'onnx', bundle: id, bundles: imported });
  const servers: Server[] = [];
  const start = async (build: typeof glimpse, state: string): Promise<Server> => {
    const server = await startServer(build, join(folder, state));
    servers.push(server);
    return server;
  };
  try {
    return await use({
      'Glimpse, workerd': await start(glimpse, 'state'),
      'ONNX engine q4, workerd': await start(onnx, 'onnx-state'),
    });
  } finally {
    for (const server of servers) await server.stop();
  }
}

/** A Worker asked over HTTP, streaming. Tokens come as text, so that the last is the answer's end. */
export function rivalOn(server: Server, generation: GenerationOptions = {}): Rival {
  const seen = new Set<string>();
  return {
    async ask(image) {
      const key = Buffer.from(image.subarray(0, 64)).toString('latin1'); // the comment that a variant begins with
      const cache = seen.has(key) ? 'hit' : 'miss';
      const { first_token_ms, ms, completion_tokens, answer } = await ask(
        server,
        image,
        cache,
        true,
        generation,
      );
      seen.add(key);
      return { first_token_ms, last_token_ms: ms, tokens: completion_tokens, answer };
    },
  };
}

/** Bytes by which a Worker's process has grown at most. */
export function grown(server: Server): number {
  const { idle, peak } = server.resident();
  return peak - idle;
}
