import type { Fetcher, R2Bucket } from '@cloudflare/workers-types';
import type { ShardSource } from '../../src/bundle/source.ts';
import { assetsSource } from '../../src/bundle/sources/assets.ts';
import { httpSource } from '../../src/bundle/sources/http.ts';
import { r2Source } from '../../src/bundle/sources/r2.ts';
import { reportTensors } from './tensor-report.ts';

interface Env {
  readonly ASSETS: Fetcher;
  readonly BUCKET: R2Bucket;
}

/** Reads a bundle inside workerd: `?source=assets|r2|<address>&id=...&prefix=...&prefix=...`. */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const source = sourceOf(searchParams.get('source') ?? '', env);
    return Response.json(
      await reportTensors(source, searchParams.get('id') ?? '', searchParams.getAll('prefix')),
    );
  },
};

function sourceOf(name: string, env: Env): ShardSource {
  if (name === 'assets') return assetsSource(env.ASSETS);
  if (name === 'r2') return r2Source(env.BUCKET);
  return httpSource(name);
}
