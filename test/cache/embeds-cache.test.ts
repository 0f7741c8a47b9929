import { afterEach, expect, test, vi } from 'vitest';
import type { CacheTier } from '../../src/cache/cache-tier.ts';
import { createEmbedsCache } from '../../src/cache/embeds-cache.ts';
import type { CacheFailure } from '../../src/cache/embeds-cache.ts';
import type { CachedEmbeds } from '../../src/cache/entry.ts';
import type { Caller } from '../../src/cache/single-flight.ts';

// What no real store does on command: fail, hang, run out of room. The stores themselves: worker.test.ts.

const embeds = (value: number): CachedEmbeds => ({
  data: new Float32Array(192).fill(value),
  shape: [1, 192],
  grid: [0, 0],
  pooler_output: new Float32Array(64).fill(-value),
});
const KILOBYTE = 1024; // one of these

afterEach(() => vi.useRealTimers());

function caller(waiting: Promise<unknown>[] = []): Caller {
  return { signal: new AbortController().signal, waitUntil: (promise) => void waiting.push(promise) };
}

function cacheOver(options: { max_bytes?: number; tier?: CacheTier } = {}) {
  const failures: CacheFailure[] = [];
  const onError = (failure: CacheFailure): void => void failures.push(failure);
  return { failures, cache: createEmbedsCache({ max_bytes: 64 * KILOBYTE, onError, ...options }) };
}

test('memory keeps what was used last, within its bytes', async () => {
  const { cache } = cacheOver({ max_bytes: 2 * KILOBYTE });
  for (const key of ['a', 'b']) await cache.getOrCompute(key, () => Promise.resolve(embeds(1)), caller());
  await cache.get('a');
  await cache.getOrCompute('c', () => Promise.resolve(embeds(1)), caller());
  expect(await cache.get('a')).toBeDefined();
  expect(await cache.get('b')).toBeUndefined();
  expect(await cache.get('c')).toBeDefined();
});

test('embeddings larger than the memory are answered and not kept', async () => {
  const { cache } = cacheOver({ max_bytes: 100 });
  const found = await cache.getOrCompute('a', () => Promise.resolve(embeds(3)), caller());
  expect(found).toMatchObject({ cache: 'miss', value: embeds(3) });
  expect(await cache.get('a')).toBeUndefined();
});

test('what the engine does to its memory afterwards does not reach the cache', async () => {
  const { cache } = cacheOver();
  const engine = embeds(1);
  await cache.getOrCompute('a', () => Promise.resolve(engine), caller());
  engine.data.fill(9);
  expect((await cache.get('a'))?.value).toEqual(embeds(1));
});

test('an image of seventeen tiles is seen once, however long others wait for it', async () => {
  vi.useFakeTimers();
  const { cache } = cacheOver();
  const see = vi.fn(async () => {
    for (let tile = 0; tile < 17; tile++) await new Promise((resolve) => setTimeout(resolve, 3_300));
    return embeds(1);
  });
  const finding = [1, 2, 3].map(() => cache.getOrCompute('a', see, caller()));
  await vi.advanceTimersByTimeAsync(17 * 3_300);
  for (const found of await Promise.all(finding)) expect(found.value).toEqual(embeds(1));
  expect(see).toHaveBeenCalledTimes(1);
});

test('a tier that fails costs no answer and is reported', async () => {
  const down = new Error('down');
  const tier: CacheTier = { name: 'kv', get: () => Promise.reject(down), put: () => Promise.reject(down) };
  const { cache, failures } = cacheOver({ tier });
  const waiting: Promise<unknown>[] = [];
  const found = await cache.getOrCompute('a', () => Promise.resolve(embeds(1)), caller(waiting));
  await Promise.all(waiting);
  expect(found.cache).toBe('miss');
  expect(failures).toEqual([
    { tier: 'kv', operation: 'get', error: down },
    { tier: 'kv', operation: 'put', error: down },
  ]);
});

test('a tier that hangs delays an answer by half a second, and is left', async () => {
  vi.useFakeTimers();
  const hang = new Promise<never>(() => undefined);
  const putting = Promise.withResolvers<undefined>();
  const put: CacheTier['put'] = () => {
    putting.resolve(undefined);
    return hang;
  };
  const { cache, failures } = cacheOver({ tier: { name: 'kv', get: () => hang, put } });
  const waiting: Promise<unknown>[] = [];
  const finding = cache.getOrCompute('a', () => Promise.resolve(embeds(1)), caller(waiting));
  await vi.advanceTimersByTimeAsync(500);
  expect(await finding).toMatchObject({ cache: 'miss', value: embeds(1) });
  await putting.promise; // the entry's digest is made in another thread, in real time
  await vi.advanceTimersByTimeAsync(10_000);
  await Promise.all(waiting);
  const late = expect.objectContaining({ name: 'TimeoutError' }) as unknown;
  expect(failures).toEqual([
    { tier: 'kv', operation: 'get', error: late },
    { tier: 'kv', operation: 'put', error: late },
  ]);
});

test('an answer does not wait for the put, and waitUntil does', async () => {
  const put = Promise.withResolvers<undefined>();
  const tier: CacheTier = { name: 'r2', get: () => Promise.resolve(undefined), put: () => put.promise };
  const { cache } = cacheOver({ tier });
  const waiting: Promise<unknown>[] = [];
  expect(await cache.getOrCompute('a', () => Promise.resolve(embeds(1)), caller(waiting))).toMatchObject({
    cache: 'miss',
  });
  let done = false;
  const all = Promise.all(waiting).then(() => (done = true));
  await new Promise((next) => setTimeout(next, 10));
  expect(done).toBe(false);
  put.resolve(undefined);
  await all;
});

test('a caller who leaves is told so at once, and the others get what was computed', async () => {
  const { cache } = cacheOver();
  const computed = Promise.withResolvers<CachedEmbeds>();
  const first = new AbortController();
  const leaving = cache.getOrCompute('a', () => computed.promise, { ...caller(), signal: first.signal });
  const staying = cache.getOrCompute('a', () => Promise.reject(new Error('computed twice')), caller());
  first.abort();
  await expect(leaving).rejects.toMatchObject({ name: 'AbortError' });
  computed.resolve(embeds(5));
  expect((await staying).value).toEqual(embeds(5));
});

test('who has left before he asks begins nothing', async () => {
  const { cache } = cacheOver();
  const gone = { ...caller(), signal: AbortSignal.abort() };
  await expect(cache.getOrCompute('a', () => Promise.reject(new Error('begun')), gone)).rejects.toMatchObject(
    { name: 'AbortError' },
  );
});
