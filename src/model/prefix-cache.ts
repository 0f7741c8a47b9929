import { LRUCache } from 'lru-cache';
import type { Decoder, PastKeyValues } from './types.ts';

/** Keys and values of image prefixes, for the next prompt on the same image. */
export interface PrefixCache {
  /**
   * A sequence that goes on from the prefix `key`, which `make` computes where it is not kept. The caller's own.
   * @param room how many positions it will be extended by
   */
  fork(
    key: string,
    decoder: Pick<Decoder, 'bytes_per_position'>,
    room: number,
    make: () => Promise<PastKeyValues>,
  ): Promise<PastKeyValues>;
  /** Keeps none of them any longer. */
  clear(): void;
}

/** @param max_bytes kept in all; the least recently used prefix goes first */
export function createPrefixCache(max_bytes: number): PrefixCache {
  const prefixes = new LRUCache<string, PastKeyValues>({
    maxSize: max_bytes,
    dispose: (prefix) => prefix.release(),
  });
  return {
    async fork(key, { bytes_per_position }, room, make) {
      const kept = prefixes.get(key);
      if (kept !== undefined) return kept.fork(room);
      const made = await make();
      const fork = made.fork(room); // before it is kept, which may release it at once
      // An image outside the context has no position.
      prefixes.set(key, made, { size: Math.max(1, made.length * bytes_per_position) });
      return fork;
    },
    clear: () => prefixes.clear(),
  };
}
