import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { openBundle } from '../../../../src/bundle/bundle.ts';
import { fileSource } from '../../../../src/bundle/sources/file.ts';
import { llamaConfigSchema, type LlamaConfig } from '../../../../src/model/llama/config.ts';
import { TEXT_GRAPHS, textTensors } from '../../../onnx/export-text-half.ts';
import { ggufDecoder } from '../../gguf/llama-decoder.ts';
import { tokenizerMetadata } from '../../gguf/tokenizer.ts';
import type { BenchedBundle } from '../../pipeline.ts';

export const FILES = {
  gguf: 'decoder-q4_0.gguf',
  ...TEXT_GRAPHS,
} as const;

const configSchema = z.object({ text_config: llamaConfigSchema, tie_word_embeddings: z.boolean() });
const generationSchema = z.object({ eos_token_id: z.int() });

/** A bundle's decoder as llama.cpp reads it. @param folder where it lies as ONNX Runtime does */
export async function writeGguf({ bundles, id }: BenchedBundle, folder: string): Promise<LlamaConfig> {
  const bundle = await openBundle(fileSource(bundles), id);
  const { text_config, tie_word_embeddings } = configSchema.parse(await bundle.json('config.json'));
  const config = { ...text_config, tie_word_embeddings };
  const { eos_token_id } = generationSchema.parse(await bundle.json('generation_config.json'));
  const tokenizer = tokenizerMetadata(await bundle.json('tokenizer.json'), config.vocab_size, eos_token_id);
  const tensors = await textTensors(bundle);
  writeFileSync(join(folder, FILES.gguf), ggufDecoder(tensors, config, tokenizer));
  return config;
}
