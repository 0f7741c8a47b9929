import { LRUCache } from 'lru-cache';
import type { PastKeyValues } from './types.ts';

/** Keys and values of image prefixes, for the next prompt on the same image. */
export interface PrefixCache {
  /**
   * A sequence that goes on from the prefix `key`, which `make` computes where it is not kept. The caller's own.
   * @param room how many positions it will be extended by
   */
  fork(key: string, room: number, make: () => Promise<PastKeyValues>): Promise<PastKeyValues>;
  /** Keeps none of them any longer. */
  clear(): void;
}

/** @param max_positions positions kept in all; the least recently used prefix goes first */
export function createPrefixCache(max_positions: number): PrefixCache {
  const prefixes = new LRUCache<string, PastKeyValues>({
    maxSize: max_positions,
    sizeCalculation: ({ length }) => Math.max(1, length), // an image outside the context has no position
    dispose: (prefix) => prefix.release(),
  });
  return {
    async fork(key, room, make) {
      const kept = prefixes.get(key);
      if (kept !== undefined) return kept.fork(room);
      const made = await make();
      const fork = made.fork(room); // before it is kept, which may release it at once
      prefixes.set(key, made);
      return fork;
    },
    clear: () => prefixes.clear(),
  };
}
