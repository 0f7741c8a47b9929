import type { Tensor } from '../../src/bundle/safetensors.ts';

/** Tensors start on this boundary, which is a SIMD vector's. */
const ALIGNMENT = 16;

/**
 * A safetensors file of `tensors`. The format allows no gaps, so alignment comes from the order: what
 * is a multiple of 16 bytes long first, then of 8, and so on. Each tensor then starts on the largest of
 * these powers that divides its own length (and so, on its element's size). Among equals the given order is kept:
 * who reads them as they are needed has none wait for its turn (src/model/tensor-reader.ts).
 */
export function writeSafetensors(tensors: readonly Tensor[]): Uint8Array<ArrayBuffer> {
  const ordered = tensors.toSorted((a, b) => evenness(b.data.length) - evenness(a.data.length));
  let end = 0;
  const entries = ordered.map(({ name, dtype, shape, data }) => {
    const start = end;
    end += data.length;
    return [name, { dtype, shape, data_offsets: [start, end] }] as const;
  });
  const header = { __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const dataStart = Math.ceil((8 + json.length) / ALIGNMENT) * ALIGNMENT;

  const file = new Uint8Array(dataStart + end).fill(0x20, 8, dataStart); // the format pads with spaces
  new DataView(file.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  file.set(json, 8);
  let at = dataStart;
  for (const { data } of ordered) {
    file.set(data, at);
    at += data.length;
  }
  return file;
}

/** The largest power of two up to ALIGNMENT that divides a length. */
function evenness(length: number): number {
  return Math.min(ALIGNMENT, length & -length || ALIGNMENT);
}
