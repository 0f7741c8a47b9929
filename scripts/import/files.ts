import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { json, type SmallFiles } from '../bundle/bundle-files.ts';
import { exists, readJson } from './read-json.ts';

const object = z.record(z.string(), z.unknown());
type Json = z.infer<typeof object>;

/** Files of a model folder that a bundle carries as they are, where there are any. */
export const CARRIED: readonly string[] = [
  ...['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json'],
  ...['chat_template.jinja', 'chat_template.json', 'generation_config.json'],
  ...['preprocessor_config.json', 'processor_config.json', 'README.md', 'LICENSE'],
];

/** Those of them that a model folder has. */
export async function presentFiles(folder: string): Promise<readonly string[]> {
  const there = await Promise.all(CARRIED.map((name) => exists(join(folder, name))));
  return CARRIED.filter((_, i) => there[i]);
}

/** The published config.json. */
export function readConfig(folder: string): Promise<Json> {
  return readJson(folder, 'config.json', object);
}

/** Entries of the tokenizer. */
export async function vocabularySize(folder: string): Promise<number> {
  const schema = z.looseObject({
    added_tokens: z.array(z.unknown()).default([]),
    model: z.looseObject({
      vocab: z.union([z.custom<object>((v) => v instanceof Object), z.array(z.unknown())]),
    }),
  });
  const { added_tokens, model } = await readJson(folder, 'tokenizer.json', schema);
  return Object.keys(model.vocab).length + added_tokens.length;
}

/**
 * All but the weights: config.json with what is done to them, the rest as published.
 * @param modules_8bit of the plan
 * @throws Error for what is missing, or no JSON
 */
export async function smallFiles(
  folder: string,
  config: Json,
  modules_8bit: readonly string[],
): Promise<SmallFiles> {
  await requireParts(folder, config);
  const present = await presentFiles(folder);
  for (const name of present) if (name.endsWith('.json')) await readJson(folder, name, object);
  const carried = await Promise.all(
    present.map(async (name) => [name, new Uint8Array(await readFile(join(folder, name)))] as const),
  );
  const quantization_config = {
    ...{ quant_method: 'glimpse-q4', bits: 4, group_size: 32, zero_point: 8, scale_dtype: 'float16' },
    modules_8bit,
  };
  return { ...Object.fromEntries(carried), 'config.json': json({ ...config, quantization_config }) };
}

/** What the Worker asks of the files, each of which may stand in several places. */
async function requireParts(folder: string, config: Json): Promise<void> {
  if (!(await exists(join(folder, 'tokenizer.json')))) {
    throw new Error(
      `${folder} has no tokenizer.json. transformers writes one: ` +
        'AutoTokenizer.from_pretrained(folder).save_pretrained(folder).',
    );
  }
  const tokenizer = await readJson(folder, 'tokenizer_config.json', object);
  const processor = await optional(folder, 'processor_config.json');
  if (!(await exists(join(folder, 'preprocessor_config.json'))) && !processor.image_processor) {
    throw new Error(
      `${folder} has neither preprocessor_config.json nor an image_processor in processor_config.json.`,
    );
  }
  if (config.model_type === 'clip' || config.model_type === 'siglip') return; // they write no text
  const template = (await optional(folder, 'chat_template.json')).chat_template;
  const jinja = await exists(join(folder, 'chat_template.jinja'));
  if (!jinja && !(processor.chat_template ?? template ?? tokenizer.chat_template)) {
    throw new Error(
      `${folder} has no chat template: neither chat_template.jinja nor chat_template.json, and none in ` +
        'tokenizer_config.json. Write chat_template.jinja as the model card describes its prompts.',
    );
  }
  const text = object.catch({}).parse(config.text_config);
  const generation = await optional(folder, 'generation_config.json');
  if ((generation.eos_token_id ?? config.eos_token_id ?? text.eos_token_id ?? null) === null) {
    throw new Error(
      `Neither generation_config.json nor config.json in ${folder} has an eos_token_id: write the former, ` +
        '{"eos_token_id": ...}, with the id of the token that ends an answer.',
    );
  }
}

async function optional(folder: string, name: string): Promise<Json> {
  return (await exists(join(folder, name))) ? readJson(folder, name, object) : {};
}
