import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const startSchema = z.looseObject({ decoder_start_token_id: z.int().nonnegative().optional() });
const tokenizerSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string(), special: z.boolean() })),
});

/** The way a captioner is asked: no text, its decoder's first token alone. */
const captioner = (start: string): string =>
  `{%- for message in messages -%}{%- for part in message.content if part.type == 'text' -%}` +
  `{{- raise_exception('it describes images and reads no text: ask /v1/caption') -}}` +
  `{%- endfor -%}{%- endfor -%}${start}`;

/**
 * The content of tokenizer_config.json, with a chat template. A model that images reach by cross attention
 * has none as a rule: its decoder starts with decoder_start_token_id, and that is what the template says.
 * @throws Error where a model of another kind has none
 */
export async function withChatTemplate(folder: string): Promise<object> {
  const read = async (name: string): Promise<object> =>
    existsSync(join(folder, name))
      ? z.looseObject({}).parse(JSON.parse(await readFile(join(folder, name), 'utf8')))
      : {};
  const config = await read('tokenizer_config.json');
  const isFile = ['chat_template.json', 'chat_template.jinja'].some((name) => existsSync(join(folder, name)));
  const isField = [config, await read('processor_config.json')].some((json) => 'chat_template' in json);
  if (isFile || isField) return config;
  const starts = [await read('generation_config.json'), await read('config.json')].map(
    (json) => startSchema.parse(json).decoder_start_token_id,
  );
  const start = starts.find((id) => id !== undefined);
  const { added_tokens } = tokenizerSchema.parse(await read('tokenizer.json'));
  const token = added_tokens.find(({ id, special }) => special && id === start);
  if (token === undefined) {
    throw new Error(`${folder} has no chat template, and no decoder_start_token_id that is a special token.`);
  }
  return { ...config, chat_template: captioner(token.content) };
}
