import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { json } from '../bundle/bundle-files.ts';
import { exists, readJson } from './read-json.ts';

export type SmallFiles = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

const object = z.record(z.string(), z.unknown());
type Json = z.infer<typeof object>;

/** Files of a model folder that a bundle carries as they are, where there are any. */
const CARRIED = [
  ...['tokenizer.json', 'processor_config.json', 'special_tokens_map.json', 'added_tokens.json'],
  ...['README.md', 'LICENSE'],
];

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
 * All but the weights, as Glimpse reads it: the chat template in tokenizer_config.json, the image
 * processor in preprocessor_config.json, generation's defaults in generation_config.json.
 * @param modules_8bit of the plan
 * @throws Error for what is missing and cannot be derived
 */
export async function smallFiles(
  folder: string,
  config: Json,
  modules_8bit: readonly string[],
): Promise<SmallFiles> {
  if (!(await exists(join(folder, 'tokenizer.json')))) {
    throw new Error(
      `${folder} has no tokenizer.json. transformers writes one: ` +
        'AutoTokenizer.from_pretrained(folder).save_pretrained(folder).',
    );
  }
  const carried = await Promise.all(
    CARRIED.map(async (name) => {
      const path = join(folder, name);
      return (await exists(path)) ? [[name, new Uint8Array(await readFile(path))] as const] : [];
    }),
  );
  return {
    ...Object.fromEntries(carried.flat()),
    'config.json': json({ ...config, quantization_config: quantizationConfig(modules_8bit) }),
    'preprocessor_config.json': json(await preprocessorConfig(folder)),
    'tokenizer_config.json': json(await tokenizerConfig(folder, isGenerative(config))),
    ...(isGenerative(config)
      ? { 'generation_config.json': json(await generationConfig(folder, config)) }
      : {}),
  };
}

function quantizationConfig(modules_8bit: readonly string[]): object {
  return {
    quant_method: 'glimpse-q4',
    bits: 4,
    group_size: 32,
    zero_point: 8,
    scale_dtype: 'float16',
    modules_8bit,
  };
}

/** CLIP and SigLIP write no text. */
function isGenerative({ model_type }: Json): boolean {
  return model_type !== 'clip' && model_type !== 'siglip';
}

/** transformers 5 keeps it inside processor_config.json. */
async function preprocessorConfig(folder: string): Promise<Json> {
  const name = 'preprocessor_config.json';
  if (await exists(join(folder, name))) return readJson(folder, name, object);
  const processor = await optional(folder, 'processor_config.json');
  const inside = object.safeParse(processor?.image_processor);
  if (inside.success) return inside.data;
  throw new Error(`${folder} has neither ${name} nor an image_processor in processor_config.json.`);
}

/** transformers derives the defaults of a model that publishes none from its configuration. */
async function generationConfig(folder: string, config: Json): Promise<Json> {
  const published = await optional(folder, 'generation_config.json');
  if (published) return published;
  const text = object.catch({}).parse(config.text_config);
  if ((config.eos_token_id ?? text.eos_token_id ?? null) === null) {
    throw new Error(
      `${folder} has no generation_config.json, and its config.json no eos_token_id: write the former, ` +
        '{"eos_token_id": ...}, with the id of the token that ends an answer.',
    );
  }
  const ids = ['bos_token_id', 'eos_token_id', 'pad_token_id'].map((name) => [
    name,
    config[name] ?? text[name],
  ]);
  return object.parse(Object.fromEntries(ids.filter(([, id]) => id !== undefined && id !== null)));
}

async function tokenizerConfig(folder: string, generative: boolean): Promise<Json> {
  const tokenizer = await readJson(folder, 'tokenizer_config.json', object);
  const chat_template = await chatTemplate(folder, tokenizer);
  if (chat_template === undefined && generative) {
    throw new Error(
      `${folder} has no chat template: neither chat_template.jinja nor chat_template.json, and none in ` +
        'tokenizer_config.json. Write chat_template.jinja as the model card describes its prompts.',
    );
  }
  return chat_template === undefined ? tokenizer : { ...tokenizer, chat_template };
}

/** In the order in which transformers' processors look for it. */
async function chatTemplate(folder: string, tokenizer: Json): Promise<string | undefined> {
  const jinja = join(folder, 'chat_template.jinja');
  if (await exists(jinja)) return readFile(jinja, 'utf8');
  const own = await optional(folder, 'chat_template.json');
  const processor = await optional(folder, 'processor_config.json');
  return (
    templateOf(own?.chat_template) ??
    templateOf(processor?.chat_template) ??
    templateOf(tokenizer.chat_template)
  );
}

/** A template, or the one called "default" of several. */
const templateSchema = z.union([
  z.string(),
  z
    .array(z.object({ name: z.string(), template: z.string() }))
    .transform((several) => several.find(({ name }) => name === 'default')?.template),
]);

function templateOf(value: unknown): string | undefined {
  return templateSchema.safeParse(value).data;
}

async function optional(folder: string, name: string): Promise<Json | undefined> {
  return (await exists(join(folder, name))) ? readJson(folder, name, object) : undefined;
}
