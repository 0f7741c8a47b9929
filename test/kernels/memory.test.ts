import { describe, expect, it } from 'vitest';
import { WasmMemory } from '../../src/kernels/memory.ts';
import { uniform } from '../reference/random.ts';

describe('the allocator', () => {
  it('never overlaps blocks, keeps their content and gives everything back', () => {
    const memory = new WasmMemory(8192, 64 * 2 ** 20);
    const random = uniform(3);
    const live = new Map<number, { readonly bytes: number; readonly mark: number }>();
    for (let step = 0; step < 4000; step++) {
      if (random() < 0.55) {
        const bytes = Math.floor(random() * 20_000);
        const at = memory.alloc(bytes);
        const mark = step % 251;
        expect(at % 64).toBe(0);
        memory.u8(at, bytes).fill(mark);
        live.set(at, { bytes, mark });
      } else {
        const [at] = [...live.keys()].slice(Math.floor(random() * live.size));
        if (at === undefined) continue;
        const { bytes, mark } = live.get(at) ?? { bytes: 0, mark: 0 };
        expect(memory.u8(at, bytes).every((v) => v === mark)).toBe(true);
        memory.free(at);
        live.delete(at);
      }
    }
    for (const at of live.keys()) memory.free(at);
    expect(memory.used).toBe(0);
    const whole = memory.size - 8192;
    const before = memory.size;
    memory.alloc(whole);
    expect(memory.size, 'what was freed is one block again').toBe(before);
  });

  it('grows by what is missing to the free bytes at its end', () => {
    const memory = new WasmMemory(8192, 2 ** 24);
    memory.alloc(2 ** 20);
    memory.free(memory.alloc(2 ** 21));
    const before = memory.size;
    memory.alloc(2 ** 21 + 2 ** 17);
    expect(memory.size - before).toBe(2 ** 17);
  });

  it('refuses what passes the limit, and is well afterwards', () => {
    const memory = new WasmMemory(8192, 2 ** 20);
    expect(() => memory.alloc(2 ** 21)).toThrow(expect.objectContaining({ code: 'overloaded' }));
    expect(memory.alloc(1000)).toBeGreaterThan(0);
    expect(() => memory.free(12_345)).toThrow('nothing is allocated');
  });
});
