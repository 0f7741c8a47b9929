import * as z from 'zod';
import type { Bundle } from '../bundle/bundle.ts';
import { GlimpseError } from '../errors.ts';
import { parseGenerationDefaults, type GenerationDefaults } from '../generation/config.ts';
import { plainImagePrompt, tiledImagePrompt, type ImagePrompt } from '../text/image-prompt.ts';
import { createChatTemplate, type ChatTemplate } from '../text/prompt.ts';
import { createTokenizer, type Tokenizer } from '../text/tokenizer.ts';

/** What turns a prompt into ids and ids into text. */
export interface TextParts {
  readonly tokenizer: Tokenizer;
  readonly chat_template: ChatTemplate;
  /** undefined: images have no place in prompts. */
  readonly image_prompt: ImagePrompt | undefined;
  readonly generation_defaults: GenerationDefaults;
}

/** What the model and the image processor say of images in a prompt. */
export interface ImageTokens {
  readonly image_token_id: number | undefined;
  /** Whether the processor splits images into tiles, and so names them. */
  readonly tiled: boolean;
}

type Files = Pick<Bundle, 'has' | 'json' | 'text'>;

/** Reads the text half's files, as published. @throws GlimpseError bundle_invalid */
export async function readTextParts(bundle: Files, images: ImageTokens): Promise<TextParts> {
  const tokenizerConfig = await bundle.json('tokenizer_config.json');
  const published = z.looseObject({}).parse(await bundle.json('tokenizer.json'));
  // Before a decoder that reads images by cross attention, a prompt is how its answer begins, with nothing around it
  // (add_special_tokens=False).
  const tokenizerJson =
    images.image_token_id === undefined ? { ...published, post_processor: null } : published;
  const tokenizer = createTokenizer(tokenizerJson, tokenizerConfig);
  const chat_template = createChatTemplate(tokenizerConfig, await processorTemplate(bundle));
  return {
    tokenizer,
    chat_template,
    image_prompt: imagePrompt(tokenizer, chat_template, images),
    generation_defaults: parseGenerationDefaults(await generationFile(bundle)),
  };
}

function imagePrompt(
  tokenizer: Tokenizer,
  { tokens }: ChatTemplate,
  { image_token_id, tiled }: ImageTokens,
): ImagePrompt | undefined {
  if (image_token_id === undefined) return undefined;
  const image_token = specialToken(tokenizer, image_token_id);
  return tiled ? tiledImagePrompt(image_token, tokens) : plainImagePrompt(image_token);
}

const templated = z.object({ chat_template: z.unknown() }).partial();

/** The processor's own template, which goes before the tokenizer's: where transformers looks, in its order. */
async function processorTemplate(bundle: Files): Promise<unknown> {
  for (const file of ['processor_config.json', 'chat_template.json']) {
    const { chat_template } = bundle.has(file) ? templated.parse(await bundle.json(file)) : {};
    if (chat_template !== undefined) return chat_template;
  }
  return bundle.has('chat_template.jinja') ? bundle.text('chat_template.jinja') : undefined;
}

const ending = z.object({ eos_token_id: z.unknown() }).partial();
const configSchema = ending.extend({ text_config: ending.default({}) });

/** generation_config.json; where it is missing or silent, config.json says which token ends an answer. */
async function generationFile(bundle: Files): Promise<unknown> {
  const file = bundle.has('generation_config.json') ? await bundle.json('generation_config.json') : {};
  const { text_config, ...config } = configSchema.parse(await bundle.json('config.json'));
  const eos_token_id = config.eos_token_id ?? text_config.eos_token_id;
  return { eos_token_id, ...z.looseObject({}).parse(file) };
}

function specialToken(tokenizer: Tokenizer, id: number): string {
  const [token] = [...tokenizer.special].find(([, special]) => special === id) ?? [];
  if (token !== undefined) return token;
  throw new GlimpseError(
    'bundle_invalid',
    `tokenizer.json has no special token ${id}, which config.json names as that of images`,
  );
}
