import { SHARD_LIMIT } from '../../src/bundle/manifest.ts';

/** More than a tensor's entry in a shard's header takes, and than what surrounds the entries. */
const HEADER_ENTRY = 256;

/** The most bytes of tensors that one shard holds, where `tensors` share them. */
export function shardCapacity(tensors: number): number {
  return SHARD_LIMIT - HEADER_ENTRY * (tensors + 1);
}

export interface Shard<T> {
  readonly name: string;
  readonly items: readonly T[];
}

/**
 * Items in order, a new shard wherever the next one would not fit any more and for every part: a part is
 * fetched alone.
 * @param tensors the tensors of an item and their bytes
 */
export function cutIntoShards<T>(
  parts: readonly (readonly T[])[],
  tensors: (item: T) => { readonly count: number; readonly bytes: number },
): readonly Shard<T>[] {
  const runs: T[][] = [];
  for (const part of parts) {
    let run: T[] = [];
    let room = 0;
    for (const item of part) {
      const { count, bytes } = tensors(item);
      const size = bytes + count * HEADER_ENTRY;
      if (size > room) {
        run = [];
        runs.push(run);
        room = SHARD_LIMIT - HEADER_ENTRY;
      }
      room -= size;
      run.push(item);
    }
  }
  const number = (n: number) => String(n).padStart(5, '0');
  return runs.map((items, index) => ({
    name: `model-${number(index + 1)}-of-${number(runs.length)}.safetensors`,
    items,
  }));
}
