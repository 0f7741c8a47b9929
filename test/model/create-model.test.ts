import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Bundle } from '../../src/bundle/bundle.ts';
import { createEngine } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { GlimpseError } from '../../src/errors.ts';
import { createModel } from '../../src/model/create-model.ts';
import { llavaConfigSchema } from '../../src/model/llava.ts';
import {
  clipVisionConfigSchema,
  idefics3VisionConfigSchema,
  siglipVisionConfigSchema,
} from '../../src/model/vision/transformer-config.ts';
import { openCase, readCase } from './vision-fixtures.ts';

const engine = createEngine(nodeKernelModules, 2 ** 26);

/** A case's bundle with a config.json that was changed. */
async function withConfig(
  name: string,
  change: (config: Record<string, unknown>) => unknown,
): Promise<Bundle> {
  const bundle = await openCase(name);
  const config = (await bundle.json('config.json')) as Record<string, unknown>;
  return { ...bundle, json: () => Promise.resolve(change(structuredClone(config))) };
}

it.each<[string, string, (config: Record<string, unknown>) => unknown, RegExp]>([
  [
    'an architecture that is not here',
    'idefics3',
    (c) => ({ ...c, model_type: 'florence2' }),
    /"florence2".*llava/,
  ],
  ['no architecture', 'idefics3', () => ({}), /model_type/],
  [
    'a layer the tower lacks',
    'llava-clip',
    (c) => ({ ...c, vision_feature_layer: -5 }),
    /vision_feature_layer/,
  ],
  [
    'another vision tower',
    'llava-clip',
    (c) => ({ ...c, vision_config: { model_type: 'pixtral' } }),
    /clip_vision_model.*siglip_vision_model[^]*vision_config.model_type/,
  ],
  [
    'an activation that is not built',
    'idefics3',
    (c) => ({ ...c, vision_config: { ...visionOf(c), hidden_act: 'swish' } }),
    /gelu_pytorch_tanh[^]*vision_config.hidden_act/,
  ],
  [
    'heads of odd width',
    'idefics3',
    (c) => ({ ...c, vision_config: { ...visionOf(c), num_attention_heads: 12 } }),
    /multiple of 4[^]*num_attention_heads/,
  ],
  ['squares that do not fit', 'idefics3', (c) => ({ ...c, scale_factor: 3 }), /scale_factor/],
])('refuses by name %s', async (_, name, change, message) => {
  const error = await refusal(createModel(engine, await withConfig(name, change)));
  expect(error.code).toBe('bundle_invalid');
  expect(error.message).toMatch(message);
});

it('refuses weights that are not as wide as the configuration says', async () => {
  const bundle = await withConfig('llava-clip', (config) => ({
    ...config,
    vision_config: { ...visionOf(config), intermediate_size: 72 },
  }));
  const encoder = await (await createModel(engine, bundle)).encoder();
  const error = await refusal(encoder.encode(readCase('llava-clip').pixel_values));
  expect(error.code).toBe('bundle_invalid');
  expect(error.message).toMatch(/layers\.0\.mlp\.fc1\.weight\.q4 is U8 \[64,20\].*asks for U8 \[72,20\]/);
});

it('assumes what the classes of transformers do where config.json is silent', async () => {
  const defaults = JSON.parse(readFileSync('test/fixtures/vision/defaults.json', 'utf8')) as Record<
    string,
    object
  >;
  const named = (model_type: string) => ({ model_type });
  expect(clipVisionConfigSchema.parse(named('clip_vision_model'))).toMatchObject(defaults.clip ?? {});
  expect(siglipVisionConfigSchema.parse(named('siglip_vision_model'))).toMatchObject(defaults.siglip ?? {});
  expect(idefics3VisionConfigSchema.parse({})).toMatchObject(defaults.idefics3 ?? {});
  const { text_config } = (await (await openCase('llava-clip')).json('config.json')) as {
    text_config: unknown;
  };
  const llava = { ...named('llava'), vision_config: named('clip_vision_model'), text_config };
  expect(llavaConfigSchema.parse(llava)).toMatchObject(defaults.llava ?? {});
});

async function refusal(work: Promise<unknown>): Promise<GlimpseError> {
  const error: unknown = await work.catch((error: unknown) => error);
  if (error instanceof GlimpseError) return error;
  return expect.fail(`refused with no GlimpseError: ${String(error)}`);
}

function visionOf({ vision_config }: Record<string, unknown>): object {
  return vision_config as object;
}
