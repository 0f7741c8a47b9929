import type { Tensor } from '../../../src/bundle/safetensors.ts';
import { tensorOf } from '../../onnx/weights.ts';

const BLOCK = 32;
/** A float16 scale, and 16 bytes: weight i in the low half of byte i, weight 16 + i in its high half. */
const BLOCK_BYTES = 18;

/**
 * A bundle's 4-bit layer as ggml's Q4_0 (ggml-common.h, block_q4_0). Both are (value - 8) * scale by blocks of 32 of
 * a row, so that nothing is rounded: only the nibbles change places.
 */
export function q4Zero(tensors: ReadonlyMap<string, Tensor>, name: string): Uint8Array {
  const { data: q, shape } = tensorOf(tensors, `${name}.weight.q4`);
  if ((shape[1] ?? 0) % (BLOCK / 2) > 0) throw new Error(`${name}: rows are no whole blocks of ${BLOCK}`);
  const scales = tensorOf(tensors, `${name}.weight.scale`).data;
  const out = new Uint8Array((q.length / (BLOCK / 2)) * BLOCK_BYTES);
  for (let block = 0; block < scales.length / 2; block++) {
    const [from, to] = [block * (BLOCK / 2), block * BLOCK_BYTES];
    const value = (i: number): number => ((q[from + (i >> 1)] ?? 0) >> (4 * (i & 1))) & 15;
    out.set(scales.subarray(2 * block, 2 * block + 2), to);
    for (let i = 0; i < BLOCK / 2; i++) out[to + 2 + i] = value(i) | (value(i + BLOCK / 2) << 4);
  }
  return out;
}

/**
 * Queries' and keys' rows as llama.cpp's convert_hf_to_gguf.py has them (LlamaModel.permute): its rotary embedding
 * turns neighbours, transformers' the halves of a head.
 */
export function interleaveHalves(rows: Uint8Array, heads: number, head_dim: number): Uint8Array {
  const row_bytes = rows.length / (heads * head_dim);
  const out = new Uint8Array(rows.length);
  for (let to = 0; to < heads * head_dim; to++) {
    const [first, i] = [to - (to % head_dim), to % head_dim];
    const from = first + (i >> 1) + (i & 1) * (head_dim / 2);
    out.set(rows.subarray(from * row_bytes, (from + 1) * row_bytes), to * row_bytes);
  }
  return out;
}
