import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../import/read-json.ts';

const startSchema = z.looseObject({ decoder_start_token_id: z.int().nonnegative().nullish() });
const tokenizerSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string(), special: z.boolean() })),
});

/** The way a captioner is asked: no text, what its decoder starts with alone. */
const captioner = (start: string): string =>
  `{%- for message in messages -%}{%- for part in message.content if part.type == 'text' -%}` +
  `{{- raise_exception('it describes images and reads no text: ask /v1/caption') -}}` +
  `{%- endfor -%}{%- endfor -%}${start}`;

/** Where a model card's task prompt has the user's text. */
const USER_INPUT = '{user_input}';

/** One question, in its place in the task prompt. */
const answerer = (before: string, behind: string): string =>
  `{% if messages|length > 1 %}{{ raise_exception('it answers one question: send one message') }}{% endif %}${before}` +
  `{% for part in messages[0].content if part.type == 'text' %}{{ part.text }}{% endfor %}${behind}`;

/**
 * The content of tokenizer_config.json, with a chat template. A model that images reach by cross attention
 * has none as a rule: its answers begin with a task prompt that its model card gives (Donut's), or with
 * decoder_start_token_id, and that is what the template says.
 * @param task_prompt `<s_docvqa><s_question>{user_input}</s_question><s_answer>` and the like
 * @throws Error where nothing says how the model is asked, or the folder does so itself; where there is no tokenizer
 */
export async function withChatTemplate(folder: string, task_prompt?: string): Promise<object> {
  const { added_tokens } = await readJson(folder, 'tokenizer.json', tokenizerSchema);
  const read = async (name: string): Promise<object> =>
    existsSync(join(folder, name)) ? readJson(folder, name, z.looseObject({})) : {};
  const config = await read('tokenizer_config.json');
  const isFile = ['chat_template.json', 'chat_template.jinja'].some((name) => existsSync(join(folder, name)));
  const isField = [config, await read('processor_config.json')].some((json) => 'chat_template' in json);
  if (isFile || isField) {
    if (task_prompt === undefined) return config;
    throw new Error(`${folder} has a chat template: leave out --task-prompt.`);
  }
  if (task_prompt !== undefined) {
    const [before = '', ...behind] = task_prompt.split(USER_INPUT);
    if (behind.length > 1) throw new Error(`--task-prompt has ${USER_INPUT} more than once.`);
    return {
      ...config,
      chat_template: behind[0] === undefined ? captioner(before) : answerer(before, behind[0]),
    };
  }
  const starts = [await read('generation_config.json'), await read('config.json')].map(
    (json) => startSchema.parse(json).decoder_start_token_id,
  );
  const start = starts.find((id) => id !== undefined && id !== null);
  const token = added_tokens.find(({ id, special }) => special && id === start);
  if (token === undefined) {
    throw new Error(
      `${folder} has no chat template, and no decoder_start_token_id that is a special token. If its model card gives a task prompt: --task-prompt.`,
    );
  }
  return { ...config, chat_template: captioner(token.content) };
}
