import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { residentStages, streamedStages } from '../../src/model/stage.ts';
import {
  clipVisionConfigSchema,
  siglipVisionConfigSchema,
  tokensPerImage,
} from '../../src/model/vision/transformer-config.ts';
import { createVisionTransformer } from '../../src/model/vision/vision-transformer.ts';
import { relativeError } from './goldens.ts';
import { ENGINES, openCase, readCase } from './vision-fixtures.ts';

const schema = z.discriminatedUnion('model_type', [clipVisionConfigSchema, siglipVisionConfigSchema]);

describe.each(['siglip-tanh', 'siglip-heads-of-72', 'clip-quick', 'clip-gelu'])('%s', async (name) => {
  const goldens = readCase(name);
  const bundle = await openCase(name);
  const config = schema.parse(await bundle.json('config.json'));
  const tokens = tokensPerImage(config);
  const states = Array.from({ length: config.num_hidden_layers + 1 }, (_, i) => i);
  const perState = 2 * tokens * config.hidden_size;
  const expected = (state: number) =>
    goldens.floats('hidden_states').subarray(state * perState, (state + 1) * perState);

  it.each(ENGINES)('has the hidden states of transformers with $kind', async ({ create, bound }) => {
    const engine = create();
    const stages = streamedStages(engine, bundle);
    for (const state of states) {
      const transformer = createVisionTransformer(engine, stages, config, [state]);
      const images: Float32Array[] = [];
      for await (const maps of transformer.features(goldens.pixel_values)) {
        images.push(...maps.map((map) => engine.memory.f32(map, tokens * config.hidden_size).slice()));
      }
      const actual = new Float32Array(await new Blob(images as BlobPart[]).arrayBuffer());
      expect(relativeError(actual, expected(state)), `hidden state ${state}`).toBeLessThan(bound);
    }
  });
});

it('gives the same features where the images do not fit one group', async () => {
  const goldens = readCase('clip-quick');
  const bundle = await openCase('clip-quick');
  const config = schema.parse(await bundle.json('config.json'));
  const engine = ENGINES[1]?.create() ?? expect.fail();
  const features = async (group_bytes?: number) => {
    const stages = residentStages(engine, bundle);
    const transformer = createVisionTransformer(engine, stages, config, [0, 2], group_bytes);
    const groups: Float32Array[][] = [];
    for await (const maps of transformer.features(goldens.pixel_values)) {
      const { tokens, width } = transformer;
      groups.push(maps.map((map) => engine.memory.f32(map, tokens * width).slice()));
    }
    return groups;
  };
  const [together, apart] = [await features(), await features(1)];
  expect(together).toHaveLength(1);
  expect(apart).toHaveLength(2);
  expect(apart.flat()).toEqual(together.flat());
});

describe('the weights', async () => {
  const name = 'siglip-tanh';
  const goldens = readCase(name);
  const config = schema.parse(await (await openCase(name)).json('config.json'));

  async function runTwice(kind: typeof streamedStages) {
    const engine = ENGINES[2]?.create() ?? expect.fail();
    const bundle = await openCase(name);
    const transformer = createVisionTransformer(engine, kind(engine, bundle), config, [2]);
    const used: number[] = [];
    for (let run = 0; run < 2; run++) {
      for await (const maps of transformer.features(goldens.pixel_values)) expect(maps).toHaveLength(2);
      used.push(engine.memory.used);
    }
    const shards = [...bundle.fetched].filter(([file]) => file.endsWith('.safetensors'));
    return { used, fetches: shards.map(([, { fetches }]) => fetches) };
  }

  it('of layers that no feature needs are never fetched; the others once, where they are resident', async () => {
    const { used, fetches } = await runTwice(residentStages);
    expect(fetches).toEqual([1, 1, 1]); // embeddings and two layers of three
    expect(used[0]).toBe(used[1]);
  });

  it('are fetched at every run and given back behind it, where they are streamed', async () => {
    const { used, fetches } = await runTwice(streamedStages);
    expect(fetches).toEqual([2, 2, 2]);
    const workspace = ENGINES[2]?.create().memory.used ?? NaN;
    expect(used).toEqual([used[0], used[0]]);
    expect((used[0] ?? NaN) - workspace).toBeLessThan(20_000); // the products' workspace for wider layers
  });

  it('and all activations are given back by a run that is left, that fails or that is aborted', async () => {
    const engine = ENGINES[2]?.create() ?? expect.fail();
    const bundle = await openCase(name);
    const transformer = createVisionTransformer(engine, streamedStages(engine, bundle), config, [2]);
    for await (const maps of transformer.features(goldens.pixel_values)) expect(maps).toHaveLength(2);
    const { used } = engine.memory;

    for await (const maps of transformer.features(goldens.pixel_values)) if (maps.length > 0) break;
    expect(engine.memory.used).toBe(used);
    const broken = { ...goldens.pixel_values, read: () => expect.fail('no pixels') };
    await expect(transformer.features(broken).next()).rejects.toThrow('no pixels');
    expect(engine.memory.used).toBe(used);
    const leaving = AbortSignal.abort(new Error('left'));
    await expect(transformer.features(goldens.pixel_values, leaving).next()).rejects.toThrow('left');
    expect(engine.memory.used).toBe(used);
  });
});
