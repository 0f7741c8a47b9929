import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { llamaConfigSchema } from '../../src/model/llama/config.ts';
import { ropeFrequencies } from '../../src/model/llama/rope-frequencies.ts';

type Fields = Readonly<Record<string, unknown>>;

const defaults = Object.entries(
  JSON.parse(readFileSync('test/fixtures/decoder/defaults.json', 'utf8')) as Record<string, Fields>,
);

it.each(defaults)("%s has transformers' defaults where config.json is silent", (model_type, expected) => {
  const { sliding_window, ...fields } = expected;
  const config = llamaConfigSchema.parse({ model_type });
  expect(config).toMatchObject({ ...fields, head_dim: 128, rope_theta: 10_000 });
  expect(config.sliding_windows).toEqual(Array.from({ length: 32 }, () => sliding_window ?? Infinity));
});

it("takes SmolVLM-256M's text_config as it is published", () => {
  const published = {
    ...{ model_type: 'llama', vocab_size: 49_280, hidden_size: 576, intermediate_size: 1536, head_dim: 64 },
    ...{ num_hidden_layers: 30, num_attention_heads: 9, num_key_value_heads: 3, hidden_act: 'silu' },
    ...{ max_position_embeddings: 8192, rms_norm_eps: 1e-5, rope_scaling: null, rope_theta: 100_000 },
    ...{ attention_bias: false, mlp_bias: false, qk_layer_norms: false, pretraining_tp: 1, use_cache: true },
  };
  const config = llamaConfigSchema.parse({
    ...published,
    tie_word_embeddings: false,
    torch_dtype: 'bfloat16',
  });
  expect(config).toMatchObject({
    ...{ head_dim: 64, rope_theta: 100_000, rope_scaling: { rope_type: 'default' } },
    biases: { qkv: false, o: false, mlp: false },
  });
});

it.each<[what: string, fields: Fields, rope_theta: number, rope_type: string]>([
  ['rope_theta', { rope_theta: 1e5 }, 1e5, 'default'],
  ['rope_parameters', { rope_parameters: { rope_theta: 5e5 }, rope_theta: 1e5 }, 5e5, 'default'],
  ['rope_scaling', { rope_scaling: { type: 'linear', factor: 2 }, rope_theta: 1e5 }, 1e5, 'linear'],
  [
    'rope_scaling before rope_parameters',
    { rope_scaling: { type: 'linear', factor: 2 }, rope_parameters: { rope_theta: 5e5 } },
    1e4,
    'linear',
  ],
])('reads rotary embeddings from %s, as transformers does', (_, fields, rope_theta, rope_type) => {
  const config = llamaConfigSchema.parse({ model_type: 'llama', ...fields });
  expect(config).toMatchObject({ rope_theta, rope_scaling: { rope_type } });
});

it.each([
  { rope_type: 'yarn', factor: 4 },
  { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
])('stretches $rope_type from max_position_embeddings, whatever context memory has room for', (scaling) => {
  const parse = (rope_parameters: Fields) =>
    llamaConfigSchema.parse({ model_type: 'llama', max_position_embeddings: 8192, rope_parameters });
  const published = parse({ ...scaling, original_max_position_embeddings: 8192 });
  const fitted = { ...parse(scaling), max_position_embeddings: 64 };
  expect(ropeFrequencies(fitted)).toEqual(ropeFrequencies(published));
});

describe('refuses what it does not run, by name', () => {
  it.each<[field: string, fields: Fields]>([
    ['model_type', { model_type: 'gemma' }],
    ['hidden_act', { hidden_act: 'gelu' }],
    ['rope_scaling.rope_type', { rope_scaling: { rope_type: 'longrope', factor: 4 } }],
    ['rope_parameters.rope_type', { rope_parameters: { type: 'axial' } }],
    ['rope_scaling.factor', { rope_scaling: { type: 'linear' } }],
    ['rope_scaling.low_freq_factor', { rope_scaling: { type: 'llama3', factor: 8, high_freq_factor: 4 } }],
    ['partial_rotary_factor', { partial_rotary_factor: 0.5 }],
    ['rope_parameters.partial_rotary_factor', { rope_parameters: { partial_rotary_factor: 0.5 } }],
    ['num_key_value_heads', { num_key_value_heads: 5 }],
    ['head_dim', { head_dim: 20 }],
    ['sliding_window', { model_type: 'mistral', sliding_window: 0 }],
    ['layer_types.0', { model_type: 'qwen2', layer_types: ['chunked_attention'] }],
  ])('%s', (field, fields) => {
    const { error } = llamaConfigSchema.safeParse({ model_type: 'llama', ...fields });
    expect(error?.issues.map(({ path }) => path.join('.'))).toContain(field);
  });
});
