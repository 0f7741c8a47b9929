import type { WasmMemory } from '../../kernels/memory.ts';
import type { PastKeyValues } from '../types.ts';
import type { LlamaConfig } from './config.ts';

/** Positions of keys and values in the kernels' memory, every layer's keys, then its values. */
interface Segment {
  readonly at: number;
  readonly capacity: number;
  readonly length: number;
}

/** A segment that several sequences read and none extends any more. */
interface SharedSegment extends Segment {
  owners: number;
}

type CacheShape = Pick<LlamaConfig, 'num_hidden_layers' | 'num_key_value_heads' | 'head_dim'>;

const FIRST_CAPACITY = 64;

/** Of the keys and values of one position in every layer. */
export function bytesPerPosition({ num_hidden_layers, num_key_value_heads, head_dim }: CacheShape): number {
  return 4 * 2 * num_hidden_layers * num_key_value_heads * head_dim;
}

/**
 * The keys and values of one sequence: a prefix that forks share without copying (the image) and what
 * is its own (prompt and answer).
 */
export class LlamaPastKeyValues implements PastKeyValues {
  readonly #memory: WasmMemory;
  readonly #shape: CacheShape;
  readonly #layers: number;
  readonly #width: number;
  #prefix: SharedSegment | undefined;
  #own: Segment;
  #released = false;

  constructor(memory: WasmMemory, shape: CacheShape, positions = FIRST_CAPACITY) {
    this.#memory = memory;
    this.#shape = shape;
    this.#layers = shape.num_hidden_layers;
    this.#width = shape.num_key_value_heads * shape.head_dim;
    this.#own = this.#allocate(positions);
  }

  get length(): number {
    return this.prefixLength + this.#own.length;
  }

  get prefixLength(): number {
    return this.#prefix?.length ?? 0;
  }

  /** Bytes held, a shared prefix included. */
  get bytes(): number {
    return this.#bytes((this.#prefix?.capacity ?? 0) + this.#own.capacity);
  }

  /** Addresses of one layer's prefix. // [prefixLength, kv_heads, head_dim] */
  prefix(layer: number): { readonly keys: number; readonly values: number } {
    return this.#prefix ? this.#addresses(this.#prefix, layer) : { keys: 0, values: 0 };
  }

  /** Addresses of one layer's own positions, the reserved ones behind. // [capacity, kv_heads, head_dim] */
  own(layer: number): { readonly keys: number; readonly values: number } {
    return this.#addresses(this.#own, layer);
  }

  /** Makes room for `rows` more positions. Moves what there is where it does not fit. */
  reserve(rows: number): void {
    const needed = this.#own.length + rows;
    if (needed <= this.#own.capacity) return;
    const grown = this.#allocate(Math.max(needed, 2 * this.#own.capacity));
    this.#copy(this.#own, grown);
    this.#memory.free(this.#own.at);
    this.#own = { ...grown, length: this.#own.length };
  }

  /** Counts `rows` reserved positions as written. */
  extend(rows: number): void {
    this.#own = { ...this.#own, length: this.#own.length + rows };
  }

  /** The first fork freezes what the sequence holds into the shared prefix; a later tail is copied. */
  fork(room = 0): LlamaPastKeyValues {
    if (this.#prefix === undefined) {
      this.#prefix = { ...this.#own, owners: 1 };
      this.#own = this.#allocate(0);
    }
    const child = new LlamaPastKeyValues(
      this.#memory,
      this.#shape,
      Math.max(FIRST_CAPACITY, this.#own.capacity, this.#own.length + room),
    );
    this.#prefix.owners += 1;
    child.#prefix = this.#prefix;
    this.#copy(this.#own, child.#own);
    child.#own = { ...child.#own, length: this.#own.length };
    return child;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#memory.free(this.#own.at);
    if (this.#prefix && --this.#prefix.owners === 0) this.#memory.free(this.#prefix.at);
  }

  #bytes(positions: number): number {
    return positions * bytesPerPosition(this.#shape);
  }

  #allocate(capacity: number): Segment {
    return { at: this.#memory.alloc(this.#bytes(capacity)), capacity, length: 0 };
  }

  #addresses({ at, capacity }: Segment, layer: number): { readonly keys: number; readonly values: number } {
    const step = capacity * this.#width * 4;
    return { keys: at + 2 * layer * step, values: at + (2 * layer + 1) * step };
  }

  #copy(from: Segment, to: Segment): void {
    const bytes = from.length * this.#width * 4;
    for (let layer = 0; layer < this.#layers; layer++) {
      const [source, target] = [this.#addresses(from, layer), this.#addresses(to, layer)];
      this.#memory.u8(target.keys, bytes).set(this.#memory.u8(source.keys, bytes));
      this.#memory.u8(target.values, bytes).set(this.#memory.u8(source.values, bytes));
    }
  }
}
