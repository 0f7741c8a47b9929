import type { Tensor } from '../../src/bundle/safetensors.ts';
import { halfToFloat } from '../../src/kernels/reference.ts';
import { concatenated } from '../../src/onnx/tensors.ts';

/** Copies: a bundle frees a shard's memory when it goes on to the next. */
export async function collectTensors(tensors: AsyncIterable<Tensor>): Promise<ReadonlyMap<string, Tensor>> {
  const collected = new Map<string, Tensor>();
  for await (const tensor of tensors) {
    collected.set(tensor.name, { ...tensor, data: tensor.data.slice() });
  }
  return collected;
}

/** Layers that stand in the bundle in pieces, `name.0.weight...`, `name.1.weight...`, as one. See src/model/linear-pieces.ts. */
export function joinPieces(tensors: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  const whole = (name: string): string => name.replace(/\.\d+(\.weight\.\w+)$/, '$1');
  const joined = [...Map.groupBy(tensors.values(), ({ name }) => whole(name))].map(([name, pieces]) => {
    const ordered = pieces.toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
    const [rows, ...columns] = [
      ordered.reduce((sum, { shape: [n = 0] }) => sum + n, 0),
      ...(pieces[0]?.shape.slice(1) ?? []),
    ];
    const data = Buffer.concat(ordered.map(({ data }) => data));
    return [
      name,
      { name, dtype: pieces[0]?.dtype ?? 'U8', shape: [rows, ...columns], data: new Uint8Array(data) },
    ] as const;
  });
  return new Map(joined);
}

export function tensorOf(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const found = tensors.get(name);
  if (found === undefined) throw new Error(`the bundle has no ${name}`);
  return found;
}

/** A float32 tensor's numbers. Copied: a tensor's bytes need not be aligned. */
export function asFloats({ data }: Tensor): Float32Array {
  return new Float32Array(data.slice().buffer);
}

/** A quantised weight as numbers, row by row. // [n, k] */
export function dequantised(tensors: ReadonlyMap<string, Tensor>, name: string): Float32Array {
  const q8 = tensors.get(`${name}.q8`);
  const scale = tensorOf(tensors, `${name}.scale`);
  if (q8 !== undefined) {
    const k = q8.data.length / (q8.shape[0] ?? 1);
    const scales = asFloats(scale);
    return Float32Array.from(q8.data, (v, i) => ((v << 24) >> 24) * (scales[Math.floor(i / k)] ?? 0));
  }
  const { data: q, shape } = tensorOf(tensors, `${name}.q4`);
  const [n = 0, half = 0] = shape;
  const blocks = Math.ceil((2 * half) / 32);
  const scales = Float32Array.from(new Uint16Array(scale.data.slice().buffer), halfToFloat);
  return Float32Array.from({ length: n * 2 * half }, (_, i) => {
    const [row, k] = [Math.floor(i / (2 * half)), i % (2 * half)];
    const nibble = ((q[row * half + (k >> 1)] ?? 0) >> (4 * (k & 1))) & 15;
    return (nibble - 8) * (scales[row * blocks + (k >> 5)] ?? 0);
  });
}

/** 4-bit weights of several layers, one behind the other, as MatMulNBits has them: the bundle's own bytes. */
export function fourBit(
  tensors: ReadonlyMap<string, Tensor>,
  names: readonly string[],
): { readonly q: Uint8Array; readonly scale: Float32Array } {
  const parts = names.map((name) => tensorOf(tensors, `${name}.weight.q4`));
  if (parts.some(({ shape: [, half = 0] }) => half % 16 > 0)) {
    throw new Error(`${names.join(', ')}: rows are no whole blocks of 32`);
  }
  const scales = names.map((name) => {
    const halves = new Uint16Array(tensorOf(tensors, `${name}.weight.scale`).data.slice().buffer);
    return Float32Array.from(halves, halfToFloat);
  });
  return { q: new Uint8Array(Buffer.concat(parts.map(({ data }) => data))), scale: concatenated(scales) };
}

/** [n, k] to [k, n]. */
export function transposed(w: Float32Array, n: number, k: number): Float32Array {
  return w.map((_, i) => w[(i % n) * k + Math.floor(i / n)] ?? 0);
}
