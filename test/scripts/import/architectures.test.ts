import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { architectureOf } from '../../../scripts/import/architectures/architecture-of.ts';
import { planBundle } from '../../../scripts/import/plan.ts';
import { openBundle, type Bundle } from '../../../src/bundle/bundle.ts';
import { fileSource } from '../../../src/bundle/sources/file.ts';
import { run, type Ended } from '../command.ts';
import { MODELS, readExpected } from './fixtures.ts';

const models = await readExpected();
const ended = new Map<string, Ended>();
let out: string;

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'glimpse-import-'));
  for (const model of Object.keys(models)) {
    ended.set(model, await run('import.ts', [`${MODELS}/${model}`, '--id', model, '--out', out]));
  }
});
afterAll(() => rm(out, { recursive: true }));

const open = (id: string): Promise<Bundle> => openBundle(fileSource(out), id);

/** Every tensor of a bundle as the fixtures tell it. */
async function tensorsOf(bundle: Bundle): Promise<Readonly<Record<string, readonly unknown[]>>> {
  const prefixes = ['vision_tower', 'connector', 'multi_modal_projector', 'language_model', 'text_model'];
  const others = ['visual_projection', 'text_projection', 'logit_scale', 'logit_bias'];
  const tensors: Record<string, readonly unknown[]> = {};
  for await (const { name, dtype, shape, data } of bundle.tensors([...prefixes, ...others])) {
    tensors[name] = [dtype, shape, createHash('sha256').update(data).digest('hex')];
  }
  return tensors;
}

describe.each(Object.keys(models))('%s', (model) => {
  it('holds what PyTorch’s tensors are in 4 and 8 bits, under the bundle’s names', async () => {
    expect(ended.get(model)).toMatchObject({ code: 0, stdout: expect.stringContaining('error') as string });
    expect(await tensorsOf(await open(model))).toEqual(models[model]);
  });
});

describe('what is needed at different times lies in different shards, in the order of need', () => {
  const part = (name: string): string =>
    [/^vision_tower\.encoder\.layers\.\d+/, /^(language_model|text_model)/]
      .map((pattern) => pattern.exec(name)?.[0])
      .find((prefix) => prefix !== undefined) ??
    (/^vision_tower\.(embeddings|pre_layrnorm)/.test(name) ? 'embeddings' : 'other');

  it.each(['idefics3', 'llava-clip-llama', 'siglip'])('%s', async (model) => {
    const index = (await (await open(model)).json('model.safetensors.index.json')) as {
      weight_map: Record<string, string>;
    };
    const shards = Map.groupBy(Object.entries(index.weight_map), ([, shard]) => shard);
    const parts = [...shards].sort().map(([, tensors]) => [...new Set(tensors.map(([name]) => part(name)))]);
    const layer = (n: number) => [`vision_tower.encoder.layers.${n}`];
    expect(parts.slice(0, 4)).toEqual([['embeddings'], layer(0), layer(1), ['other']]);
    expect(parts).toHaveLength(5);
    expect(parts[4]).toContain(model === 'siglip' ? 'text_model' : 'language_model');
    expect(parts[4]).not.toContain('embeddings');
  });
});

it('names are told by rows of their own, of token embeddings that are fetched apart', async () => {
  const published = JSON.parse(await readFile(`${MODELS}/glimpse/config.json`, 'utf8')) as object;
  const label_names_config = {
    ...{ max_names: 2, tokens_per_name: 3, pad_token_id: 0, least_probability: 0.1 },
    names: [{ name: 'dog', label_ids: [0, 1], input_ids: [4] }],
  };
  const planned = (config: object): readonly (readonly string[])[] => {
    const { shards } = planBundle(architectureOf(config), []);
    return shards.map(({ items }) => items.map(({ name }) => name));
  };
  const POSITIONS = 'multi_modal_projector.label_position_embedding.weight';
  const [vision = [], , tokens, decoder] = planned({ ...published, label_names_config });
  expect(vision).toContain(POSITIONS);
  expect(tokens).toEqual(['language_model.model.embed_tokens']);
  expect(decoder).not.toContain('language_model.model.embed_tokens');
  const plain = planned(published);
  expect(plain).toHaveLength(3);
  expect(plain.flat()).not.toContain(POSITIONS);

  const beyond = (change: object) => () =>
    architectureOf({
      ...published,
      label_names_config: { ...label_names_config, names: [{ ...label_names_config.names[0], ...change }] },
    });
  expect(beyond({ label_ids: [8] })).toThrow(/label_names_config/);
  expect(beyond({ input_ids: [48] })).toThrow(/label_names_config/);
});

describe('the files beside the weights', () => {
  it.each(Object.keys(models))('%s: as published', async (model) => {
    const bundle = await open(model);
    const published = (await readdir(`${MODELS}/${model}`)).filter((name) => !/^(config|model)\b/.test(name));
    expect(published.length).toBeGreaterThan(2);
    for (const name of published) {
      expect(await bundle.text(name)).toBe(await readFile(`${MODELS}/${model}/${name}`, 'utf8'));
    }
  });

  it('config.json as published, and what was done to the weights', async () => {
    const eightBit = ['--8bit', '^language_model.*(down|o)_proj$'];
    await run('import.ts', [`${MODELS}/smolvlm`, '--id', 'more-bits', '--out', out, ...eightBit]);
    const bundle = await open('more-bits');
    const layer = 'language_model.model.layers';
    expect(await bundle.json('config.json')).toEqual({
      ...(JSON.parse(await readFile(`${MODELS}/smolvlm/config.json`, 'utf8')) as object),
      quantization_config: {
        quant_method: 'glimpse-q4',
        bits: 4,
        group_size: 32,
        zero_point: 8,
        scale_dtype: 'float16',
        modules_8bit: [
          'vision_tower.embeddings.patch_embedding',
          ...[0, 1].flatMap((i) => [`${layer}.${i}.self_attn.o_proj`, `${layer}.${i}.mlp.down_proj`]),
        ],
      },
    });
    const [dtype, shape] = (await tensorsOf(bundle))[`${layer}.1.mlp.down_proj.weight.q8`] ?? [];
    expect([dtype, shape]).toEqual(['I8', [24, 40]]);
  });
});
