import { expect, it } from 'vitest';
import type { Tensor } from '../../src/bundle/safetensors.ts';
import { createEngine } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { createStreamedEmbedding, rowsPerPiece } from '../../src/model/llama/streamed-embedding.ts';
import { residentEmbedding } from '../../src/model/token-embedding.ts';
import { createWeights } from '../../src/model/weights.ts';
import { uniform } from '../reference/random.ts';

const NAME = 'embed_tokens';
const WIDTH = 80; // two blocks of 32 and a half
const PIECE = rowsPerPiece({ hidden_size: WIDTH });
const config = { hidden_size: WIDTH, vocab_size: 20 * PIECE + 24 };

/** A table in pieces, and the pieces in the order in which they were read. */
function table(rows = PIECE) {
  const random = uniform(7);
  const count = Math.ceil(config.vocab_size / rows);
  const tensors = Array.from({ length: count }, (_, i): readonly Tensor[] => {
    const n = Math.min(rows, config.vocab_size - i * rows);
    const name = `${NAME}.${i}.weight`;
    const q = Uint8Array.from({ length: (n * WIDTH) / 2 }, () => random() * 256);
    const scale = Uint16Array.from({ length: n * 3 }, () => 0x2000 + random() * 0x1c00);
    return [
      { name: `${name}.q4`, dtype: 'U8', shape: [n, WIDTH / 2], data: q },
      { name: `${name}.scale`, dtype: 'F16', shape: [n, 3], data: new Uint8Array(scale.buffer) },
    ];
  });
  const read: number[] = [];
  async function* stream(prefixes: readonly string[]): AsyncGenerator<Tensor, void> {
    const index = Number(prefixes[0]?.slice(NAME.length + 1));
    read.push(index);
    yield* await Promise.resolve(tensors[index] ?? []);
  }
  async function* all(): AsyncGenerator<Tensor> {
    yield* await Promise.resolve(tensors.flat());
  }
  return { read, bundle: { tensors: stream }, all };
}

it('gives the rows that a table in memory gives, bit for bit', async () => {
  const { bundle, all } = table();
  const engine = createEngine(nodeKernelModules, 2 ** 26);
  const resident = await residentEmbedding(engine, createWeights(engine, all()), NAME, config);
  const streamed = createStreamedEmbedding(bundle, NAME, config);
  const ids = [0, config.vocab_size - 1, PIECE - 1, PIECE, 3 * PIECE + 5, 0, 19 * PIECE];
  expect(await streamed.rows(ids)).toEqual(await resident.rows(ids));
});

it('reads a piece once for all of its rows, and again when others have taken its place', async () => {
  const { bundle, read } = table();
  const streamed = createStreamedEmbedding(bundle, NAME, config);
  await streamed.rows([1, 2, PIECE]);
  await streamed.rows([3, PIECE + 1]);
  expect(read).toEqual([0, 1]);
  await streamed.rows(Array.from({ length: 18 }, (_, i) => (i + 2) * PIECE));
  const before = await streamed.rows([1]);
  expect(read.slice(-1)).toEqual([0]);
  expect(await streamed.rows([1])).toEqual(before);
});

it('refuses a table that an import cut otherwise', async () => {
  const { bundle } = table(PIECE + 8);
  await expect(createStreamedEmbedding(bundle, NAME, config).rows([1])).rejects.toMatchObject({
    code: 'bundle_invalid',
  });
});
