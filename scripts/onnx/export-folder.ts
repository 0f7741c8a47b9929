import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openBundle } from '../../src/bundle/bundle.ts';
import { fileSource } from '../../src/bundle/sources/file.ts';
import { glimpseConfigSchema, type GlimpseConfig } from '../../src/model/config.ts';
import { json } from '../bundle/bundle-files.ts';
import { embedTokens, llamaDecoder } from './llama-graph.ts';
import { visionModel } from './vision-graph.ts';
import { collectTensors } from './weights.ts';

/**
 * A bundle of the default architecture as a model folder that transformers.js runs: to it, it is a LLaVA,
 * whose class asks for nothing but a vision encoder, embeddings and a decoder.
 * @param bundles where the bundle lies
 */
export async function exportFolder(bundles: string, id: string, out: string): Promise<void> {
  const bundle = await openBundle(fileSource(bundles), id);
  const config = glimpseConfigSchema.parse(await bundle.json('config.json'));
  const text = await collectTensors(bundle.tensors(['language_model']));
  const preprocessor = Object(await bundle.json('preprocessor_config.json')) as object;

  await mkdir(join(out, 'onnx'), { recursive: true });
  const write = (name: string, bytes: Uint8Array): Promise<void> => writeFile(join(out, name), bytes);
  await write('config.json', json(llavaConfig(config)));
  await write('preprocessor_config.json', json({ ...preprocessor, processor_class: 'LlavaProcessor' }));
  await write('processor_config.json', json(processorConfig(config)));
  for (const name of ['generation_config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    await write(name, await bundle.bytes(name));
  }
  await write('onnx/vision_encoder.onnx', await visionModel(bundle, config));
  await write('onnx/embed_tokens.onnx', embedTokens(text, config.text_config));
  await write('onnx/decoder_model_merged.onnx', llamaDecoder(text, config.text_config, 'fp32'));
  await write('onnx/decoder_model_merged_q4.onnx', llamaDecoder(text, config.text_config, 'q4'));
}

function llavaConfig({ image_token_id, vision_config, text_config }: GlimpseConfig): object {
  return {
    architectures: ['LlavaForConditionalGeneration'],
    model_type: 'llava',
    image_token_index: image_token_id,
    vision_config,
    text_config,
  };
}

/** LlavaProcessor writes an image token for each patch, and more: here the one of the image's mean. */
function processorConfig({ vision_config, projector_config }: GlimpseConfig): object {
  const patches = projector_config.num_image_tokens - 1;
  return {
    processor_class: 'LlavaProcessor',
    image_token: '<image>',
    patch_size: vision_config.image_size / Math.sqrt(patches),
    num_additional_image_tokens: 1,
    vision_feature_select_strategy: 'full',
  };
}
