import type { WasmMemory } from './memory.ts';

/** Memory that is given back as a whole. */
export interface Room {
  /** @see WasmMemory.alloc */
  alloc(bytes: number): number;
  /** @see WasmMemory.put */
  put(data: Uint8Array | Float32Array): number;
  release(): void;
}

export function createRoom(memory: WasmMemory): Room {
  let taken: number[] = [];
  const take = (at: number): number => {
    taken.push(at);
    return at;
  };
  return {
    alloc: (bytes) => take(memory.alloc(bytes)),
    put: (data) => take(memory.put(data)),
    release() {
      for (const at of taken) memory.free(at);
      taken = [];
    },
  };
}

/** What `work` gives; the room that it works in is given back when it ends. */
export async function inRoom<T>(memory: WasmMemory, work: (room: Room) => Promise<T>): Promise<T> {
  const room = createRoom(memory);
  try {
    return await work(room);
  } finally {
    room.release();
  }
}
