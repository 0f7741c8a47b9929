import { GlimpseError } from '../errors.ts';

const PAGE = 65_536;
const ALIGN = 64;

interface FreeBlock {
  readonly at: number;
  readonly bytes: number;
}

/**
 * The kernels' linear memory with a first-fit allocator. Weights, activations and keys and values all
 * live here, so that a request takes nothing from the JavaScript heap and gives back what it took.
 * Views go stale when the memory grows: take one, use it, drop it before the next `await`.
 */
export class WasmMemory {
  readonly memory: WebAssembly.Memory;
  /** The most bytes that it may grow to. */
  readonly limit: number;
  readonly #sizes = new Map<number, number>();
  /** Free blocks by address; no two touch. */
  #free: FreeBlock[];

  /** @param base first byte the allocator may use */
  constructor(base: number, limit: number) {
    this.limit = limit;
    const initial = Math.ceil(base / PAGE);
    this.memory = new WebAssembly.Memory({ initial, maximum: Math.floor(limit / PAGE) });
    const at = Math.ceil(base / ALIGN) * ALIGN;
    this.#free = [{ at, bytes: initial * PAGE - at }];
  }

  /** Bytes the memory spans: it grows and never shrinks. */
  get size(): number {
    return this.memory.buffer.byteLength;
  }

  /** Bytes allocated now. */
  get used(): number {
    return [...this.#sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** @returns the address of `bytes` bytes of undefined content, 64-byte aligned. @throws overloaded */
  alloc(bytes: number): number {
    const want = Math.max(ALIGN, Math.ceil(bytes / ALIGN) * ALIGN);
    let i = this.#free.findIndex((block) => block.bytes >= want);
    if (i < 0) i = this.#grow(want);
    const block = this.#free[i];
    if (block === undefined) throw new Error('allocator lost a block');
    this.#free.splice(
      i,
      1,
      ...(block.bytes > want ? [{ at: block.at + want, bytes: block.bytes - want }] : []),
    );
    this.#sizes.set(block.at, want);
    return block.at;
  }

  free(at: number): void {
    const bytes = this.#sizes.get(at);
    if (bytes === undefined) throw new Error(`nothing is allocated at ${at}`);
    this.#sizes.delete(at);
    this.#insert({ at, bytes });
  }

  u8(at: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, at, length);
  }

  f32(at: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, length);
  }

  /** Allocates and fills. */
  put(data: Uint8Array | Float32Array): number {
    const at = this.alloc(data.byteLength);
    this.u8(at, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return at;
  }

  #grow(want: number): number {
    const end = this.size;
    const last = this.#free.at(-1); // what is free at the end is a part of what is wanted
    const free = last !== undefined && last.at + last.bytes === end ? last.bytes : 0;
    try {
      this.memory.grow(Math.ceil((want - free) / PAGE));
    } catch (cause) {
      throw new GlimpseError(
        'overloaded',
        'The server holds as much as its memory allows; try again shortly.',
        { cause },
      );
    }
    this.#insert({ at: end, bytes: this.size - end });
    return this.#free.findIndex((block) => block.bytes >= want);
  }

  /** Joins the block with the free ones that it touches. */
  #insert(block: FreeBlock): void {
    const before = this.#free.find(({ at, bytes }) => at + bytes === block.at);
    const after = this.#free.find(({ at }) => at === block.at + block.bytes);
    const at = before?.at ?? block.at;
    const bytes = (before?.bytes ?? 0) + block.bytes + (after?.bytes ?? 0);
    const others = this.#free.filter((other) => other !== before && other !== after);
    this.#free = [...others, { at, bytes }].sort((a, b) => a.at - b.at);
  }
}
