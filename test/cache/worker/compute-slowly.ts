import type { CachedEmbeds } from '../../../src/cache/entry.ts';

let computations = 0;

/**
 * Stands where the vision stage stands: takes time, asks other services on the way, may fail. Its first
 * value tells how often this isolate has computed.
 * @param options `ms` how long, `fail` whether it fails
 */
export async function computeSlowly(key: string, options: URLSearchParams): Promise<CachedEmbeds> {
  const steps = 10;
  const computation = ++computations;
  const shards = await caches.open('shards');
  for (let step = 0; step < steps; step++) {
    await new Promise((next) => setTimeout(next, Number(options.get('ms')) / steps));
    await shards.match(`https://shards.invalid/${key}/${step}`);
  }
  if (options.has('fail')) throw new Error(`computation ${computation} failed`);
  const data = Float32Array.of(computation, -0.5, 1e-40, 3.4e38, Number.MIN_VALUE, 7);
  return { data, shape: [2, 3], grid: [0, 0], pooler_output: Float32Array.of(-0.5, computation) };
}
