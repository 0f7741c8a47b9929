import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { smolVlmConfig } from '../../../scripts/bench/smolvlm/configs.ts';
import { architectureOf } from '../../../scripts/import/architectures/architecture-of.ts';
import { planMemory } from '../../../scripts/import/memory-plan.ts';
import { product, tensorsOf } from '../../../scripts/import/modules.ts';
import { bytesOf } from '../../../scripts/import/pieces.ts';
import { planBundle } from '../../../scripts/import/plan.ts';
import { run } from '../command.ts';
import { MODELS, scratch } from './fixtures.ts';

const architecture = architectureOf(smolVlmConfig);
const plan = planBundle(architecture, []);

it('knows SmolVLM-256M: 256,484,928 parameters, as its model card counts them', () => {
  const shapes = architecture.parts.flatMap(({ modules }) => modules.flatMap(tensorsOf));
  expect(shapes.reduce((sum, { shape }) => sum + product(shape), 0)).toBe(256_484_928);
});

it('counts 4.5 bits for a weight in 4, with its scales', () => {
  const bytes = (name: string): number =>
    plan.parts.find((part) => part.name === name)?.pieces.reduce((sum, piece) => sum + bytesOf(piece), 0) ??
    0;
  const perLayer = 576 * (2 * 576 + 2 * 192 + 3 * 1536);
  const decoder = 30 * perLayer + 2 * 49_280 * 576;
  expect(bytes('decoder')).toBe((decoder * 4.5) / 8 + 4 * 576 * 61);
  expect(bytes('connector')).toBe((576 * 768 * 16 * 4.5) / 8 + 4 * 2 * 768);
  expect(bytes('vision layer 0')).toBe((768 * (4 * 768 + 2 * 3072) * 4.5) / 8 + 4 * (9 * 768 + 3072));
});

it('plans its memory: keys and values of three heads in thirty layers, the decoder’s weights beside them', () => {
  const memory = planMemory(architecture, plan, 49_280);
  expect(memory.kv_per_token).toBe(30 * 2 * 3 * 64 * 4);
  const inMemory = 162_938_880 - 49_280 * 576; // token embeddings are read by the row
  expect(memory.resident['weights of the text half']).toBe((inMemory * 4.5) / 8 + 4 * 576 * 61);
  expect(memory.resident['weights of the vision half']).toBe(0); // streamed
  expect(memory.context).toBe(8192);
});

it('gives each run of token embeddings that are read by the row a shard of its own', () => {
  const isEmbedding = (name: string): boolean => name.startsWith('language_model.model.embed_tokens.');
  const shards = plan.shards.filter(({ items }) => items.some(({ name }) => isEmbedding(name)));
  expect(shards.map(({ items }) => items.map(({ name, rows }) => [name, rows])).slice(-2)).toEqual([
    [['language_model.model.embed_tokens.122', 400]],
    [['language_model.model.embed_tokens.123', 49_280 - 123 * 400]],
  ]);
  expect(shards).toHaveLength(124);
});

it('a smaller one fits, with its vision half in memory', () => {
  const { text_config, vision_config } = smolVlmConfig;
  const small = {
    ...smolVlmConfig,
    vision_config: { ...vision_config, num_hidden_layers: 2 },
    text_config: { ...text_config, num_hidden_layers: 4, max_position_embeddings: 512 },
  };
  const of = architectureOf(small);
  const memory = planMemory(of, planBundle(of, []), 49_280);
  expect(memory).toMatchObject({ fits: true, positions: 512 });
  expect(memory.resident['weights of the vision half']).toBeGreaterThan(0);
  expect(planMemory(architecture, plan, 10 * 49_280).fits).toBe(false);
});

it('prints parts and memory, and writes nothing', async () => {
  const out = await scratch();
  const args = [`${MODELS}/idefics3`, '--id', 'model', '--out', out, '--dry-run'];
  const { code, stdout, stderr } = await run('import.ts', args);
  expect([code, stderr, await readdir(out)]).toEqual([0, '', []]);
  expect(stdout).toMatch(/^vision layers +8,960 /m);
  expect(stdout).toMatch(/^decoder +11,256 .* 4\.98$/m);
  expect(stdout).toContain('It fits an isolate of 128.0 MB. There is room for 64 of its 64 positions');
});
