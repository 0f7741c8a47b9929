import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { openBundle, type Bundle } from '../../src/bundle/bundle.ts';
import { MANIFEST } from '../../src/bundle/manifest.ts';
import { fileSource } from '../../src/bundle/sources/file.ts';
import { glimpseConfigSchema, imageTokens, type GlimpseConfig } from '../../src/model/config.ts';
import { idefics3ConfigSchema, type Idefics3Config } from '../../src/model/idefics3.ts';
import { json } from '../bundle/bundle-files.ts';
import { exists } from '../import/read-json.ts';
import { exportTextHalf } from './export-text-half.ts';
import { siglipVision } from './siglip-graph.ts';
import { visionModel } from './vision-graph.ts';
import { collectTensors } from './weights.ts';

const configSchema = z.union([glimpseConfigSchema, idefics3ConfigSchema]);
const EXPORTED = ['glimpse', 'idefics3', 'smolvlm'];

type Write = (name: string, bytes: Uint8Array) => Promise<void>;

/**
 * A bundle of the default architecture, of Idefics3's or of SmolVLM's as a model folder that transformers.js runs.
 * @param bundles where the bundle lies
 * @throws Error for a bundle of another architecture, and for a folder that is a bundle itself
 */
export async function exportFolder(bundles: string, id: string, out: string): Promise<void> {
  const bundle = await openBundle(fileSource(bundles), id);
  const config = readConfig(await bundle.json('config.json'), id);
  if (await exists(join(out, MANIFEST))) throw new Error(`${out} is a bundle: export into another folder.`);
  await mkdir(join(out, 'onnx'), { recursive: true });
  const write: Write = (name, bytes) => writeFile(join(out, name), bytes);
  if (config.model_type === 'glimpse') await exportGlimpse(bundle, config, write);
  else await exportIdefics3(bundle, config, write);
  await exportTextHalf(bundle, config.text_config, join(out, 'onnx'));
}

function readConfig(json: unknown, id: string): z.infer<typeof configSchema> {
  const { model_type } = z.looseObject({ model_type: z.string() }).parse(json);
  if (!EXPORTED.includes(model_type)) {
    throw new Error(`${id} is a ${model_type}: what can be exported is ${EXPORTED.join(', ')}.`);
  }
  return configSchema.parse(json);
}

/** To transformers.js it is a LLaVA, whose class asks for nothing but a vision encoder, embeddings and a decoder. */
async function exportGlimpse(bundle: Bundle, config: GlimpseConfig, write: Write): Promise<void> {
  const preprocessor = Object(await bundle.json('preprocessor_config.json')) as object;
  await write('config.json', json(llavaConfig(config)));
  await write('preprocessor_config.json', json({ ...preprocessor, processor_class: 'LlavaProcessor' }));
  await write('processor_config.json', json(processorConfig(config)));
  for (const name of ['generation_config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    await write(name, await bundle.bytes(name));
  }
  await write('onnx/vision_encoder.onnx', await visionModel(bundle, config));
}

/**
 * All that was published with it goes along, the image processor's configuration and the chat template where
 * transformers.js looks: transformers 5 has them in files of other names.
 */
async function exportIdefics3(bundle: Bundle, config: Idefics3Config, write: Write): Promise<void> {
  for (const name of PUBLISHED.filter((name) => bundle.has(name))) {
    await write(name, await bundle.bytes(name));
  }
  const read = async (name: string): Promise<z.infer<typeof publishedSchema>> =>
    publishedSchema.parse(bundle.has(name) ? await bundle.json(name) : {});
  const processor = await read('processor_config.json');
  const preprocessor = processor.image_processor ?? (await read('preprocessor_config.json'));
  const { processor_class } = processor;
  await write(
    'preprocessor_config.json',
    json({ ...(processor_class && { processor_class }), ...preprocessor }),
  );

  const jinja = bundle.has(JINJA) ? await bundle.text(JINJA) : undefined;
  const template = processor.chat_template ?? (await read('chat_template.json')).chat_template ?? jinja;
  const tokenizer = await read('tokenizer_config.json');
  await write(
    'tokenizer_config.json',
    json({ ...tokenizer, ...(template !== undefined && { chat_template: template }) }),
  );

  const tensors = await collectTensors(bundle.tensors(['vision_tower', 'connector']));
  await write('onnx/vision_encoder.onnx', siglipVision(tensors, config));
}

const JINJA = 'chat_template.jinja';
const publishedSchema = z.looseObject({
  chat_template: z.unknown().optional(),
  processor_class: z.string().optional(),
  image_processor: z.looseObject({}).optional(),
});

const PUBLISHED = ['config.json', 'generation_config.json', 'processor_config.json', 'tokenizer.json', JINJA];

function llavaConfig({ image_token_id, vision_config, text_config }: GlimpseConfig): object {
  return {
    architectures: ['LlavaForConditionalGeneration'],
    model_type: 'llava',
    image_token_index: image_token_id,
    vision_config,
    text_config,
  };
}

/** LlavaProcessor writes an image token for each patch, and more: here the image's mean and the names told of it. */
function processorConfig(config: GlimpseConfig): object {
  const { vision_config, projector_config } = config;
  const patches = projector_config.num_image_tokens - 1;
  return {
    processor_class: 'LlavaProcessor',
    image_token: '<image>',
    patch_size: vision_config.image_size / Math.sqrt(patches),
    num_additional_image_tokens: imageTokens(config) - patches,
    vision_feature_select_strategy: 'full',
  };
}
