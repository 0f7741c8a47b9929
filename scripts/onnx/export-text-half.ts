import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bundle } from '../../src/bundle/bundle.ts';
import type { Tensor } from '../../src/bundle/safetensors.ts';
import type { LlamaConfig } from '../../src/model/llama/config.ts';
import { embedTokens, llamaDecoder } from './llama-graph.ts';
import { collectTensors, joinPieces } from './weights.ts';

/** The text half's graphs under the names that transformers.js gives them: the decoder in float32 and in 4 bits. */
export const TEXT_GRAPHS = {
  embed: 'embed_tokens.onnx',
  fp32: 'decoder_model_merged.onnx',
  q4: 'decoder_model_merged_q4.onnx',
} as const;

/** What the graphs are made of. */
export async function textTensors(bundle: Bundle): Promise<ReadonlyMap<string, Tensor>> {
  return joinPieces(await collectTensors(bundle.tensors(['language_model'])));
}

export async function exportTextHalf(bundle: Bundle, config: LlamaConfig, folder: string): Promise<void> {
  const tensors = await textTensors(bundle);
  await writeFile(join(folder, TEXT_GRAPHS.embed), embedTokens(tensors, config));
  for (const dtype of ['fp32', 'q4'] as const) {
    await writeFile(join(folder, TEXT_GRAPHS[dtype]), llamaDecoder(tensors, config, dtype));
  }
}
