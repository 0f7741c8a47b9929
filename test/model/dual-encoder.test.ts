import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/bundle/bundle.ts';
import { createModel } from '../../src/model/create-model.ts';
import { clipConfigSchema, siglipConfigSchema } from '../../src/model/dual/config.ts';
import {
  clipVisionConfigSchema,
  siglipVisionConfigSchema,
} from '../../src/model/vision/transformer-config.ts';
import type { DualEncoder, PixelValues } from '../../src/model/types.ts';
import { readTextInput } from '../../src/pipeline/text-input.ts';
import { relativeError } from './goldens.ts';
import { ENGINES, openCase, readCase } from './vision-fixtures.ts';

const FOLDER = 'test/fixtures/dual';
const CASES = ['clip-legacy', 'clip-open', 'siglip', 'siglip-projected'];

interface Texts {
  readonly texts: readonly string[];
  readonly input_ids: readonly (readonly number[])[];
  readonly tokens: readonly number[];
}

function readTexts(name: string): Texts {
  return JSON.parse(readFileSync(`${FOLDER}/${name}.json`, 'utf8')) as Texts;
}

/** Any engine: what is not held against numbers does not tell them apart. */
const anyEngine = () => ENGINES[2]?.create() ?? expect.fail();

async function dualEncoder(
  engine: ReturnType<(typeof ENGINES)[0]['create']>,
  bundle: Bundle,
): Promise<DualEncoder> {
  const model = await createModel(engine, bundle);
  return 'text_embedder' in model ? model : expect.fail('no dual encoder');
}

/** Each image of a batch by itself. */
function images(pixels: PixelValues): PixelValues[] {
  const [batch, ...size] = pixels.shape;
  return Array.from({ length: batch }, (_, i) => ({
    shape: [1, ...size],
    grid: [0, 0],
    read: () => pixels.read(i),
  }));
}

describe.each(CASES)('%s', async (name) => {
  const goldens = readCase(name, FOLDER);
  const { texts, input_ids, tokens } = readTexts(name);
  const bundle = await openCase(name, FOLDER);

  it.each(ENGINES)('is the model of transformers with $kind', async ({ create, bound, logits_bound }) => {
    const engine = create();
    const model = await dualEncoder(engine, bundle);
    const { projection_dim: dim } = model;
    const encoder = await model.encoder();
    const embedder = await model.text_embedder();
    const text_embeds = input_ids.map((ids) => embedder.embed(ids));
    text_embeds.forEach((embeds, i) => {
      const expected = goldens.floats('text_embeds').subarray(i * dim, (i + 1) * dim);
      expect(relativeError(embeds, expected), texts[i]).toBeLessThan(bound);
    });
    for (const [i, image] of images(goldens.pixel_values).entries()) {
      const { data, shape, pooler_output } = await encoder.encode(image);
      expect(shape).toEqual([1, dim]);
      expect(pooler_output).toHaveLength(0);
      const expected = goldens.floats('image_embeds').subarray(i * dim, (i + 1) * dim);
      expect(relativeError(data, expected)).toBeLessThan(bound);
      const logits = goldens.floats('logits_per_image').subarray(i * texts.length, (i + 1) * texts.length);
      expect(relativeError(embedder.logits(data, text_embeds), logits)).toBeLessThan(logits_bound);
    }
  });

  it('reads texts as the processor of transformers does', async () => {
    const input = await readTextInput(bundle, await dualEncoder(anyEngine(), bundle));
    const encoded = texts.map((text) => input.encode(text, 'input'));
    expect(encoded).toEqual(input_ids.map((ids, i) => ({ input_ids: ids, tokens: tokens[i] })));
  });
});

describe('each half', async () => {
  const name = 'siglip';
  const goldens = readCase(name, FOLDER);
  const { input_ids } = readTexts(name);
  const index = (await (await openCase(name, FOLDER)).json('model.safetensors.index.json')) as {
    weight_map: Record<string, string>;
  };
  const textShards = new Set(
    Object.entries(index.weight_map).flatMap(([tensor, shard]) =>
      /^(text|logit)/.test(tensor) ? shard : [],
    ),
  );
  const shardsOf = ({ fetched }: Bundle) =>
    [...fetched.keys()].filter((file) => file.endsWith('.safetensors'));

  it('is fetched when it is first needed, without the other', async () => {
    const bundle = await openCase(name, FOLDER);
    const model = await dualEncoder(anyEngine(), bundle);
    expect(model.loaded).toEqual({ vision: false, text: false });
    expect(shardsOf(bundle)).toEqual([]);

    await (await model.encoder()).encode(images(goldens.pixel_values)[0] ?? expect.fail());
    expect(model.loaded).toEqual({ vision: true, text: false });
    expect(shardsOf(bundle).filter((shard) => textShards.has(shard))).toEqual([]);

    const other = await openCase(name, FOLDER);
    const texts = await dualEncoder(anyEngine(), other);
    await texts.text_embedder();
    expect(texts.loaded).toEqual({ vision: false, text: true });
    expect(new Set(shardsOf(other))).toEqual(textShards);
  });

  it('gives back what it takes beside its weights', async () => {
    const engine = anyEngine();
    const model = await dualEncoder(engine, await openCase(name, FOLDER));
    const [encoder, embedder] = [await model.encoder(), await model.text_embedder()];
    const run = async () => {
      for (const image of images(goldens.pixel_values)) await encoder.encode(image);
      for (const ids of input_ids) embedder.embed(ids);
      return engine.memory.used;
    };
    const used = await run();
    expect(await run()).toBe(used);
  });
});

describe('refuses by name', () => {
  /** A case's bundle with a config.json that was changed. */
  async function withConfig(name: string, change: object): Promise<Bundle> {
    const bundle = await openCase(name, FOLDER);
    const config = (await bundle.json('config.json')) as Record<string, object>;
    const changed = Object.entries(change).map(([field, more]) => {
      return [field, { ...config[field], ...(more as object) }] as const;
    });
    const json: Bundle['json'] = (file) =>
      file === 'config.json'
        ? Promise.resolve({ ...config, ...Object.fromEntries(changed) })
        : bundle.json(file);
    return { ...bundle, json };
  }

  it.each([
    ['an image without its head', 'siglip', { vision_config: { vision_use_head: false } }, /vision_use_head/],
    ['two spaces', 'siglip', { text_config: { projection_size: 48 } }, /one space[^]*projection_size/],
    [
      'heads of odd width',
      'clip-legacy',
      { text_config: { num_attention_heads: 5 } },
      /multiple of 4[^]*text_config/,
    ],
    ['an activation that is not built', 'clip-legacy', { text_config: { hidden_act: 'relu' } }, /hidden_act/],
  ])('%s', async (_, name, change, message) => {
    const opened = createModel(anyEngine(), await withConfig(name, change));
    await expect(opened).rejects.toMatchObject({
      code: 'bundle_invalid',
      message: expect.stringMatching(message) as string,
    });
  });

  it.each([
    ['a text without an end', { text_config_dict: { eos_token_id: 3 } }, [895, 5, 896], /eos_token_id/],
    ['a token that the model lacks', {}, [895, 904, 896], /vocab_size/],
  ])('%s', async (_, change, ids, message) => {
    const model = await dualEncoder(anyEngine(), await withConfig('clip-open', change));
    const embedder = await model.text_embedder();
    expect(() => embedder.embed(ids)).toThrow(message);
  });

  it('a text that is too long, with both numbers', async () => {
    const bundle = await openCase('clip-open', FOLDER);
    const input = await readTextInput(bundle, await dualEncoder(anyEngine(), bundle));
    expect(() => input.encode('what '.repeat(39), 'input.2')).toThrow(/^input\.2: .* 41 tokens.* 40/);
  });

  it.each([{}, { pad_token: 'dog' }])('a tokenizer that fills up with %j', async (config) => {
    const bundle = await openCase('siglip', FOLDER);
    const json: Bundle['json'] = (file) =>
      file === 'tokenizer_config.json' ? Promise.resolve(config) : bundle.json(file);
    const input = readTextInput({ ...bundle, json }, { max_position_embeddings: 64, padding: 'max_length' });
    await expect(input).rejects.toMatchObject({
      code: 'bundle_invalid',
      message: expect.stringMatching('pad_token') as string,
    });
  });
});

it('assumes what the classes of transformers do where config.json is silent', () => {
  const defaults = JSON.parse(readFileSync(`${FOLDER}/defaults.json`, 'utf8')) as Record<string, object>;
  const clip = clipConfigSchema.parse({ model_type: 'clip' });
  expect(clip.text_config).toEqual(defaults.clip);
  expect(clip.projection_dim).toBe(defaults.projection_dim);
  expect(clip.vision_config).toEqual(clipVisionConfigSchema.parse({ model_type: 'clip_vision_model' }));
  const siglip = siglipConfigSchema.parse({ model_type: 'siglip' });
  expect(siglip.text_config).toEqual(defaults.siglip);
  expect(siglip.vision_config).toEqual(siglipVisionConfigSchema.parse({ model_type: 'siglip_vision_model' }));
});
