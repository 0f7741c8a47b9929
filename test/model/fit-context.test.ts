import { expect, it } from 'vitest';
import { createEngine } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { createVisionLanguageModel } from '../../src/model/create-model.ts';
import { llamaConfigSchema } from '../../src/model/llama/config.ts';
import { fitContext } from '../../src/model/llama/fit-context.ts';
import { openCase, readCase } from './vision-fixtures.ts';

const MEBIBYTE = 2 ** 20;
// Of the text half that HuggingFaceTB/SmolVLM-256M-Instruct publishes.
const SMOLVLM = llamaConfigSchema.parse({
  ...{ model_type: 'llama', vocab_size: 49_280, hidden_size: 576, intermediate_size: 1536 },
  ...{ num_hidden_layers: 30, num_attention_heads: 9, num_key_value_heads: 3, max_position_embeddings: 8192 },
});

const engineOf = (limit: number) => createEngine(nodeKernelModules, limit);

it.each([
  [108 * MEBIBYTE, 633], // its token embeddings are read by the row
  [256 * MEBIBYTE, 3654],
  [1024 * MEBIBYTE, 8192],
])(
  'a context ends where memory does: %i bytes have room for %i positions of SmolVLM-256M',
  (limit, positions) => {
    expect(fitContext({ limit }, SMOLVLM).max_position_embeddings).toBe(positions);
  },
);

it('an image whose tiles are more than the context is refused before any of it is seen, with both numbers', async () => {
  const bundle = await openCase('smolvlm-tiles');
  const { pixel_values } = readCase('smolvlm-tiles');
  const limit = 8 * MEBIBYTE + 28_000;
  const model = await createVisionLanguageModel(engineOf(limit), bundle);
  expect(model.max_position_embeddings).toBe(11);
  const embedding = (await model.encoder()).encode(pixel_values);
  await expect(embedding).rejects.toMatchObject({ code: 'context_length_exceeded', param: 'image' });
  await expect(embedding).rejects.toThrow(/takes 12 tokens, in 3 tiles; the model's context is 11 here/);
  expect([...bundle.fetched.keys()].filter((name) => name.endsWith('.safetensors'))).toEqual([]);
});
