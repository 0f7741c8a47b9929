import { describe, expect, test } from 'vitest';
import {
  generationOptions,
  parseGenerationDefaults,
  resolveGenerationConfig,
  type ChatOptions,
  type GenerationOptions,
} from '../../src/generation/config.ts';
import { maxNewTokens } from '../../src/generation/context.ts';
import type { Decoder } from '../../src/model/types.ts';

const greedy = parseGenerationDefaults({
  eos_token_id: 3,
  pad_token_id: 5,
  max_new_tokens: 40,
  do_sample: false,
});
const sampling = parseGenerationDefaults({
  eos_token_id: [3, 0],
  do_sample: true,
  top_k: 0,
  temperature: 0.7,
});
const beams = parseGenerationDefaults({ eos_token_id: 3, num_beams: 4, length_penalty: 0.5 });

describe('ranges', () => {
  test.each([
    ['max_new_tokens', [1, 4096], [0, -1, 1.5, '7', null]],
    ['temperature', [0.01, 1, 100], [0, -1, Infinity, NaN]],
    ['top_k', [0, 1, 50], [-1, 0.5]],
    ['top_p', [0, 0.9, 1], [-0.1, 1.1]],
    ['min_p', [0, 0.05, 1], [-0.1, 1.1]],
    ['repetition_penalty', [0.5, 1.3], [0, -1]],
    ['presence_penalty', [-2, 0, 1.5], [-2.1, 3]],
    ['frequency_penalty', [-2, 0, 1.5], [-2.1, 3]],
    ['seed', [0, 4294967295], [-1, 4294967296, 0.5]],
    ['num_beams', [1, 8], [0, 9, 2.5]],
    ['length_penalty', [-1, 0, 2], [Infinity, '1']],
    ['early_stopping', [true, false, 'never'], ['always', 1]],
    ['stop_strings', [[], ['.'], ['a', 'b', 'c', 'd']], [[''], ['a', 'b', 'c', 'd', 'e'], '.']],
    ['do_sample', [true, false], ['yes', 1]],
    ['num_return_sequences', [], [1]],
  ])('%s', (name, good, bad) => {
    for (const value of good) expect(generationOptions.safeParse({ [name]: value }).success).toBe(true);
    for (const value of bad) expect(generationOptions.safeParse({ [name]: value }).success).toBe(false);
  });
});

describe('defaults', () => {
  test('are the request over the bundle over transformers', () => {
    expect(resolveGenerationConfig(greedy, { repetition_penalty: 1.2 })).toEqual({
      max_new_tokens: 40,
      max_length: null,
      do_sample: false,
      temperature: 1,
      top_k: 50,
      top_p: 1,
      min_p: 0,
      repetition_penalty: 1.2,
      presence_penalty: 0,
      frequency_penalty: 0,
      logit_bias: new Map(),
      seed: null,
      num_beams: 1,
      length_penalty: 1,
      early_stopping: false,
      stop_strings: [],
      num_return_sequences: 1,
      top_logprobs: null,
      eos_token_id: [3],
      forced_eos_token_id: null,
    });
    expect(resolveGenerationConfig(sampling, { top_p: 0.5 })).toMatchObject({
      do_sample: true,
      temperature: 0.7,
      top_k: 0,
      top_p: 0.5,
      eos_token_id: [3, 0],
    });
  });

  test('max_length counts where nothing says how long the answer alone may be', () => {
    const captioner = parseGenerationDefaults({ eos_token_id: 0, max_length: 16, decoder_start_token_id: 0 });
    const context = { max_position_embeddings: 64 } as Decoder;
    const limit = (request: GenerationOptions) =>
      maxNewTokens(context, 10, resolveGenerationConfig(captioner, request));
    expect(limit({})).toBe(6);
    expect(limit({ max_new_tokens: 20 })).toBe(20);
  });

  test.each([
    [greedy, {}, { do_sample: false, num_beams: 1 }],
    [greedy, { temperature: 0.5 }, { do_sample: true, num_beams: 1 }],
    [greedy, { seed: 1 }, { do_sample: true, seed: 1 }],
    [sampling, { do_sample: false }, { do_sample: false }],
    [sampling, { num_beams: 2 }, { do_sample: false, num_beams: 2 }],
    [beams, {}, { do_sample: false, num_beams: 4, length_penalty: 0.5 }],
    [beams, { early_stopping: true }, { num_beams: 4, early_stopping: true }],
    [beams, { top_p: 0.5 }, { do_sample: true, num_beams: 1 }],
  ] as const)('the mode that a request asks for: %#', (defaults, request: GenerationOptions, expected) => {
    expect(resolveGenerationConfig(defaults, request)).toMatchObject(expected);
  });
});

describe('options that contradict each other are refused by name', () => {
  test.each([
    [greedy, { do_sample: false, temperature: 0.5 }, 'temperature'],
    [greedy, { do_sample: false, seed: 1 }, 'seed'],
    [greedy, { num_beams: 2, do_sample: true }, 'do_sample'],
    [greedy, { num_beams: 2, top_k: 5 }, 'top_k'],
    [greedy, { length_penalty: 2 }, 'length_penalty'],
    [greedy, { num_beams: 2, num_return_sequences: 2 }, 'num_return_sequences'],
    [greedy, { num_beams: 2, top_logprobs: 0 }, 'top_logprobs'],
    [greedy, { num_beams: 1, early_stopping: false }, 'early_stopping'],
    [beams, { do_sample: true, length_penalty: 2 }, 'length_penalty'],
  ] as const)('%#: %o', (defaults, request: ChatOptions, param) => {
    expect(() => resolveGenerationConfig(defaults, request)).toThrow(
      expect.objectContaining({ code: 'invalid_value', param }) as Error,
    );
  });

  test('fields that concern no answer are taken, and null is not set', () => {
    const published = {
      ...{ _from_model_config: true, bos_token_id: 1, pad_token_id: 2, transformers_version: '4.46.0' },
      ...{ eos_token_id: 49279, top_k: null, cache_implementation: 'hybrid' },
    };
    const { eos_token_id, top_k } = parseGenerationDefaults(published);
    expect({ eos_token_id, top_k }).toEqual({ eos_token_id: [49279], top_k: undefined });
  });

  test('a bundle with an option that would be ignored is refused', () => {
    expect(() => parseGenerationDefaults({ eos_token_id: 3, no_repeat_ngram_size: 3 })).toThrow(
      expect.objectContaining({
        code: 'bundle_invalid',
        message: expect.stringContaining('no_repeat_ngram_size') as string,
      }) as Error,
    );
  });
});
