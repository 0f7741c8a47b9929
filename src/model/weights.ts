import type { Tensor } from '../bundle/safetensors.ts';
import { GlimpseError } from '../errors.ts';
import type { Engine, Linear } from '../kernels/engine.ts';
import { createRoom } from '../kernels/room.ts';

/** The tensors of one part of a model, moved one by one into the kernels' memory in the order kernels read. */
export interface Weights {
  /** The layer `name`: `name.weight` in 4 or 8 bits, and `name.bias` where the bundle has one. */
  linear(name: string): Linear;
  /** Layers of one input as one product, outputs one behind the other: of the same bits, with biases all or none. */
  fused(names: readonly string[]): Linear;
  /** A float32 tensor as it stands. @returns its address */
  floats(name: string, length: number): number;
  /**
   * An 8-bit convolution as float32, its input channels, kernel rows and columns before its outputs:
   * [channels, kernel, kernel, out]. Convolutions are few and small; products are where 4 bits count.
   */
  convolution(name: string, shape: readonly [out: number, channels: number, kernel: number]): number;
  /** Gives back the memory of all that was taken. */
  release(): void;
}

export async function collectTensors(tensors: AsyncIterable<Tensor>): Promise<ReadonlyMap<string, Tensor>> {
  const collected = new Map<string, Tensor>();
  for await (const tensor of tensors) collected.set(tensor.name, tensor);
  return collected;
}

/** @throws bundle_invalid where a tensor is absent or not of the dtype and shape that the configuration asks for */
export function createWeights({ memory, kernels }: Engine, tensors: ReadonlyMap<string, Tensor>): Weights {
  const room = createRoom(memory);

  function tensor(name: string, dtype: Tensor['dtype'], shape: readonly number[]): Tensor {
    const found = tensors.get(name);
    if (found === undefined) throw new GlimpseError('bundle_invalid', `The bundle has no tensor ${name}.`);
    if (found.dtype !== dtype || found.shape.join() !== shape.join()) {
      const [is, want] = [`${found.dtype} [${found.shape.join()}]`, `${dtype} [${shape.join()}]`];
      throw new GlimpseError(
        'bundle_invalid',
        `The bundle's ${name} is ${is}; its configuration asks for ${want}.`,
      );
    }
    return found;
  }

  /** Features of a quantised weight, which its scales tell better than its packed values do. */
  function features(name: string): { readonly bits: 4 | 8; readonly n: number; readonly k: number } {
    const q8 = tensors.get(`${name}.weight.q8`);
    if (q8 !== undefined) {
      return { bits: 8, n: q8.shape[0] ?? 0, k: q8.shape.slice(1).reduce((a, b) => a * b, 1) };
    }
    const q4 = tensors.get(`${name}.weight.q4`);
    if (q4 === undefined) {
      throw new GlimpseError('bundle_invalid', `The bundle has no tensor ${name}.weight.q4.`);
    }
    return { bits: 4, n: q4.shape[0] ?? 0, k: 2 * (q4.shape[1] ?? 0) };
  }

  function floats(name: string, length: number): number {
    const found = tensors.get(name);
    const shape = found?.shape.reduce((a, b) => a * b, 1) === length ? found.shape : [length];
    return room.put(tensor(name, 'F32', shape).data);
  }

  function packed4(name: string, n: number, k: number, out: number): void {
    const q = memory.put(tensor(`${name}.weight.q4`, 'U8', [n, Math.ceil(k / 2)]).data);
    const scale = memory.put(tensor(`${name}.weight.scale`, 'F16', [n, Math.ceil(k / 32)]).data);
    kernels.pack_q4(q, scale, out, n, k);
    memory.free(q);
    memory.free(scale);
  }

  function packed8(name: string, n: number, k: number, out: number): void {
    const shape = tensors.get(`${name}.weight.q8`)?.shape ?? [];
    const q = memory.put(tensor(`${name}.weight.q8`, 'I8', shape).data);
    const scale = memory.put(tensor(`${name}.weight.scale`, 'F32', [n]).data);
    kernels.pack_q8(q, scale, out, n, k);
    memory.free(q);
    memory.free(scale);
  }

  function requireTiles(name: string, n: number): void {
    if (n % 8 !== 0) {
      throw new GlimpseError('bundle_invalid', `${name} has ${n} outputs; the kernels take multiples of 8.`);
    }
  }

  function fused(names: readonly string[]): Linear {
    const parts = names.map((name) => ({ name, ...features(name) }));
    const { bits, k } = parts[0] ?? { bits: 4, k: 0 };
    if (parts.some((part) => part.bits !== bits || part.k !== k)) {
      throw new GlimpseError('bundle_invalid', `${names.join(', ')} differ in their inputs or their bits.`);
    }
    const n = parts.reduce((sum, part) => sum + part.n, 0);
    const tileBytes = bits === 4 ? 144 * Math.ceil(k / 32) : 32 + 256 * Math.ceil(k / 32);
    const weight = room.alloc((n / 8) * tileBytes);
    let at = weight;
    for (const part of parts) {
      requireTiles(part.name, part.n);
      (bits === 4 ? packed4 : packed8)(part.name, part.n, k, at);
      at += (part.n / 8) * tileBytes;
    }
    return { bits, in_features: k, out_features: n, weight, bias: biases(parts) };
  }

  /** The parts' biases one behind the other, or 0 where they have none. */
  function biases(parts: readonly { readonly name: string; readonly n: number }[]): number {
    if (!parts.some(({ name }) => tensors.has(`${name}.bias`))) return 0;
    const all = parts.map(({ name, n }) => tensor(`${name}.bias`, 'F32', [n]).data);
    return room.put(new Uint8Array(all.flatMap((bytes) => [...bytes])));
  }

  return {
    floats,
    linear: (name) => fused([name]),
    fused,
    release: () => room.release(),
    convolution(name, [out, channels, kernel]) {
      const { data: bytes } = tensor(`${name}.weight.q8`, 'I8', [out, channels, kernel, kernel]);
      const q = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const scale = float32View(tensor(`${name}.weight.scale`, 'F32', [out]).data);
      const inputs = channels * kernel * kernel;
      const weight = room.alloc(4 * out * inputs);
      const view = memory.f32(weight, out * inputs);
      for (let o = 0; o < out; o++) {
        for (let i = 0; i < inputs; i++) view[i * out + o] = (q[o * inputs + i] ?? 0) * (scale[o] ?? 0);
      }
      return weight;
    },
  };
}

/** Copied: a tensor's bytes need not be aligned. */
function float32View(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}
