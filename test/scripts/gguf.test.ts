import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GGMLQuantizationType, gguf } from '@huggingface/gguf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBundle } from '../../src/bundle/bundle.ts';
import { fileSource } from '../../src/bundle/sources/file.ts';
import { glimpseConfigSchema } from '../../src/model/config.ts';
import { halfToFloat } from '../../src/kernels/reference.ts';
import { ggufDecoder } from '../../scripts/bench/gguf/llama-decoder.ts';
import { tokenizerMetadata } from '../../scripts/bench/gguf/tokenizer.ts';
import { asFloats, collectTensors, dequantised, joinPieces, tensorOf } from '../../scripts/onnx/weights.ts';

const folder = mkdtempSync(join(tmpdir(), 'glimpse-gguf-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the default decoder as GGUF', () => {
  const path = join(folder, 'decoder.gguf');
  let file: Uint8Array;
  let tensors: Awaited<ReturnType<typeof collectTensors>>;
  let read: Awaited<ReturnType<typeof gguf>>;

  beforeAll(async () => {
    const bundle = await openBundle(fileSource('model-shards'), 'glimpse-10m');
    const { text_config } = glimpseConfigSchema.parse(await bundle.json('config.json'));
    tensors = joinPieces(await collectTensors(bundle.tensors(['language_model'])));
    const tokenizer = tokenizerMetadata(await bundle.json('tokenizer.json'), text_config.vocab_size, 3);
    file = ggufDecoder(tensors, text_config, tokenizer);
    writeFileSync(path, file);
    read = await gguf(path, { allowLocalFile: true });
  });

  it('says what it is to another reader', () => {
    expect(read.metadata).toMatchObject({
      version: 3,
      'general.architecture': 'llama',
      'llama.block_count': 6,
      'llama.embedding_length': 256,
      'llama.attention.head_count': 4,
      'llama.rope.freq_base': 10_000,
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.eos_token_id': 3,
    });
    const tokenizer = JSON.parse(readFileSync('model-shards/glimpse-10m/tokenizer.json', 'utf8')) as {
      readonly model: { readonly vocab: Readonly<Record<string, number>>; readonly merges: string[][] };
    };
    const metadata: Readonly<Record<string, unknown>> = { ...read.metadata }; // their types know few keys
    const tokens = metadata['tokenizer.ggml.tokens'] as string[];
    expect(tokens).toHaveLength(4096);
    for (const [token, id] of Object.entries(tokenizer.model.vocab)) expect(tokens[id]).toBe(token);
    expect(metadata['tokenizer.ggml.merges']).toEqual(tokenizer.model.merges.map((pair) => pair.join(' ')));
  });

  it('has every tensor of llama.cpp, the embeddings as the output', () => {
    expect(read.tensorInfos).toHaveLength(2 + 6 * 9);
    const gate = read.tensorInfos.find(({ name }) => name === 'blk.5.ffn_gate.weight');
    expect(gate).toMatchObject({ dtype: GGMLQuantizationType.Q4_0, shape: [256n, 704n] });
  });

  it.each([
    ['token_embd', 'model.embed_tokens'],
    ['blk.0.attn_v', 'model.layers.0.self_attn.v_proj'],
    ['blk.5.ffn_down', 'model.layers.5.mlp.down_proj'],
  ])('holds the very weights of %s', (name, from) => {
    expect(weights(name)).toEqual(dequantised(tensors, `language_model.${from}.weight`));
  });

  it.each(['q', 'k'])('has rotary pairs of %s next to each other', (part) => {
    const [hidden, head_dim] = [256, 64];
    const ours = dequantised(tensors, `language_model.model.layers.2.self_attn.${part}_proj.weight`);
    const theirs = weights(`blk.2.attn_${part}`);
    const row = (rows: Float32Array, head: number, i: number) =>
      rows.subarray((head * head_dim + i) * hidden, (head * head_dim + i + 1) * hidden);
    for (let head = 0; head < 4; head++) {
      for (let pair = 0; pair < head_dim / 2; pair++) {
        expect(row(theirs, head, 2 * pair)).toEqual(row(ours, head, pair));
        expect(row(theirs, head, 2 * pair + 1)).toEqual(row(ours, head, pair + head_dim / 2));
      }
    }
  });

  it('holds norms as they are', () => {
    const norm = tensorOf(tensors, 'language_model.model.norm.weight');
    expect(asFloats({ ...norm, data: bytes('output_norm', norm.data.length) })).toEqual(asFloats(norm));
  });

  function bytes(name: string, length: number): Uint8Array {
    const info = read.tensorInfos.find((info) => info.name === `${name}.weight`);
    if (info === undefined) throw new Error(`no ${name}`);
    const at = Number(read.tensorDataOffset + info.offset);
    expect(at % 32).toBe(0);
    return file.subarray(at, at + length);
  }

  /** As ggml's dequantize_row_q4_0 reads them. */
  function weights(name: string): Float32Array {
    const [k = 0n, n = 0n] = read.tensorInfos.find((info) => info.name === `${name}.weight`)?.shape ?? [];
    const blocks = Number(k * n) / 32;
    const data = bytes(name, 18 * blocks);
    const out = new Float32Array(32 * blocks);
    for (let block = 0; block < blocks; block++) {
      const [low = 0, high = 0, ...nibbles] = data.subarray(18 * block, 18 * (block + 1));
      const d = halfToFloat(low | (high << 8));
      nibbles.forEach((byte, i) => {
        out[32 * block + i] = ((byte & 15) - 8) * d;
        out[32 * block + 16 + i] = ((byte >> 4) - 8) * d;
      });
    }
    return out;
  }
});
