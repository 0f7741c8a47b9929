import { readFileSync } from 'node:fs';
import type { LlamaConfig } from '../reference/llama-math.ts';
import { createReferenceLlama, type ReferenceDecoder } from '../reference/llama.ts';
import { readSafetensors } from '../reference/safetensors.ts';
import {
  parseGenerationDefaults,
  resolveGenerationConfig,
  type GenerationConfig,
  type GenerationOptions,
} from '../../src/generation/config.ts';
import type { PromptSequence } from '../../src/generation/sequence.ts';
import type { PastKeyValues } from '../../src/model/types.ts';

const folder = new URL('../fixtures/generation/', import.meta.url);

/** What PyTorch transformers recorded (make.py beside the files). */
export function readFixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
}

/** The tiny Llama with random weights. */
export function createTinyLlama(): ReferenceDecoder {
  return createReferenceLlama(
    readFixture('config.json') as LlamaConfig,
    readSafetensors(new URL('model.safetensors', folder)),
  );
}

export function generationConfig(eos_token_id: number[], request: GenerationOptions): GenerationConfig {
  // transformers knows "no end token"; a bundle always has one: an id that no vocabulary has.
  const ids = eos_token_id.length === 0 ? [-1] : eos_token_id;
  return resolveGenerationConfig(parseGenerationDefaults({ eos_token_id: ids }), request);
}

/** A prompt of which past_key_values holds nothing of the text yet. */
export function promptSequence(past_key_values: PastKeyValues, input_ids: readonly number[]): PromptSequence {
  return { past_key_values, prompt_ids: input_ids, input_ids };
}
