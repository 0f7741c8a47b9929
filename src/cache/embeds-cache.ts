import { LRUCache } from 'lru-cache';
import { withTimeLimit } from '../time-limit.ts';
import type { CacheKey } from './cache-key.ts';
import type { CacheTier } from './cache-tier.ts';
import { decodeEntry, encodeEntry } from './entry.ts';
import type { CachedEmbeds } from './entry.ts';
import { singleFlight } from './single-flight.ts';
import type { Caller } from './single-flight.ts';

export interface CacheHit {
  readonly value: CachedEmbeds;
  readonly cache: 'hit';
  readonly tier: 'memory' | CacheTier['name'];
}

export interface CacheMiss {
  readonly value: CachedEmbeds;
  readonly cache: 'miss';
}

/** For the log: a tier that fails costs the time of a miss, never the answer. */
export interface CacheFailure {
  readonly tier: CacheTier['name'];
  readonly operation: 'get' | 'put';
  readonly error: unknown;
}

export interface EmbedsCacheOptions {
  /** What the isolate's memory may hold of embeddings, in bytes. */
  readonly max_bytes: number;
  /** What outlives the isolate. */
  readonly tier?: CacheTier;
  readonly onError: (failure: CacheFailure) => void;
}

export interface EmbedsCache {
  /** Held in memory now. */
  readonly bytes: number;
  get(key: CacheKey): Promise<CacheHit | undefined>;
  /** Requests that ask for one key at a time share one lookup and one `compute`: a miss for all of them. */
  getOrCompute(
    key: CacheKey,
    compute: () => Promise<CachedEmbeds>,
    caller: Caller,
  ): Promise<CacheHit | CacheMiss>;
}

// Milliseconds. No get is worth more time than seeing the image again takes; nobody waits for a put, which
// must end before the 30 s that `waitUntil` has.
const GET_LIMIT = 500;
const PUT_LIMIT = 10_000;

export function createEmbedsCache(options: EmbedsCacheOptions): EmbedsCache {
  const { max_bytes, tier, onError } = options;
  const memory = new LRUCache<CacheKey, CachedEmbeds>({
    maxSize: max_bytes,
    sizeCalculation: ({ data, pooler_output }) => data.byteLength + pooler_output.byteLength,
  });
  const flights = singleFlight<CacheKey, CacheHit | CacheMiss>();

  function getResident(key: CacheKey): CacheHit | undefined {
    const value = memory.get(key);
    return value && { value, cache: 'hit', tier: 'memory' };
  }

  async function getStored(key: CacheKey): Promise<CacheHit | undefined> {
    if (!tier) return undefined;
    const value = await read(tier, key, onError);
    if (!value) return undefined;
    memory.set(key, value);
    return { value, cache: 'hit', tier: tier.name };
  }

  async function compute(
    key: CacheKey,
    work: () => Promise<CachedEmbeds>,
    { waitUntil }: Caller,
  ): Promise<CacheMiss> {
    const { data, shape, grid, pooler_output } = await work();
    // Copied: the engine reuses its memory.
    const value = { data: data.slice(), shape, grid, pooler_output: pooler_output.slice() };
    memory.set(key, value);
    if (tier) waitUntil(write(tier, key, value, onError));
    return { value, cache: 'miss' };
  }

  return {
    get bytes() {
      return memory.calculatedSize;
    },
    get: async (key) => getResident(key) ?? (await getStored(key)),
    getOrCompute: async (key, work, caller) =>
      getResident(key) ??
      (await flights.run(
        key,
        async () => (await getStored(key)) ?? (await compute(key, work, caller)),
        caller,
      )),
  };
}

type OnError = EmbedsCacheOptions['onError'];

async function read(tier: CacheTier, key: CacheKey, onError: OnError): Promise<CachedEmbeds | undefined> {
  try {
    const entry = await withTimeLimit(() => tier.get(key), GET_LIMIT);
    const value = entry && (await decodeEntry(key, entry));
    if (entry && !value) throw new Error(`entry ${key} is damaged or of another key`);
    return value;
  } catch (error) {
    onError({ tier: tier.name, operation: 'get', error });
    return undefined;
  }
}

async function write(tier: CacheTier, key: CacheKey, value: CachedEmbeds, onError: OnError): Promise<void> {
  try {
    const entry = await encodeEntry(key, value);
    await withTimeLimit(() => tier.put(key, entry), PUT_LIMIT);
  } catch (error) {
    onError({ tier: tier.name, operation: 'put', error });
  }
}
