import { describe, expect, test } from 'vitest';
import { readTextParts } from '../../src/pipeline/text-parts.ts';
import { renderPrompt } from '../../src/text/prompt.ts';
import { readBundle } from '../text/fixtures.ts';

const TOKENIZER = {
  'tokenizer.json': readBundle('tokenizer.json'),
  'tokenizer_config.json': { ...readBundle('tokenizer_config.json'), chat_template: '<|user|>' },
};
const CONFIG = { 'config.json': { eos_token_id: 3 } };

/** A folder of those files: text as it stands, all else as JSON. */
function folder(files: Record<string, unknown>) {
  return {
    has: (name: string) => name in files,
    json: (name: string) => Promise.resolve(files[name]),
    text: (name: string) => Promise.resolve(files[name] as string),
  };
}

const read = (files: Record<string, unknown>, image_token_id = 4, tiled = false) =>
  readTextParts(folder({ ...TOKENIZER, ...CONFIG, ...files }), { image_token_id, tiled });

describe('the chat template', () => {
  const jinja = { 'chat_template.jinja': '<|assistant|>' };
  const json = { 'chat_template.json': { chat_template: '<|end|>' } };
  test.each([
    ['of the tokenizer', {}, 1],
    ['in its own file', jinja, 2],
    ['in its own file alone', { ...jinja, 'tokenizer_config.json': { pad_token: '<pad>' } }, 2],
    ['in the older file', { ...jinja, ...json }, 3],
    ['of the processor', { ...jinja, ...json, 'processor_config.json': { chat_template: '<pad>' } }, 5],
    ['of a processor without one', { ...jinja, 'processor_config.json': { image_seq_len: 64 } }, 2],
  ])('%s', async (_, files, id) => {
    const { tokenizer, chat_template } = await read(files);
    expect(renderPrompt(tokenizer, chat_template, [])).toEqual([id]);
  });
});

describe('what ends an answer', () => {
  test.each([
    ['generation_config.json', { 'generation_config.json': { eos_token_id: [2, 3] } }, [2, 3]],
    ['config.json where that is missing', {}, [3]],
    ['config.json where that is silent', { 'generation_config.json': { _from_model_config: true } }, [3]],
    ["config.json's text_config", { 'config.json': { text_config: { eos_token_id: 5 } } }, [5]],
  ])('%s', async (_, files, eos_token_id) => {
    expect((await read(files)).generation_defaults).toMatchObject({ eos_token_id });
  });

  test('is needed', async () => {
    await expect(read({ 'config.json': {} })).rejects.toMatchObject({ code: 'bundle_invalid' });
  });
});

test('an image is written by its token, and in tiles by those that the tokenizer names', async () => {
  const image = { tokens: 4, grid: [1, 1] } as const;
  expect((await read({})).image_prompt?.write(image)).toBe('<image>'.repeat(4));
  const config = { ...TOKENIZER['tokenizer_config.json'], global_image_token: '<whole>' };
  const tiled = await read({ 'tokenizer_config.json': config }, 4, true);
  expect(tiled.image_prompt?.write(image)).toBe(
    '<fake_token_around_image><row_1_col_1><image><image>\n\n' +
      '<fake_token_around_image><whole><image><image><fake_token_around_image>',
  );
});

test('an image token that the tokenizer does not have is told', async () => {
  await expect(read({}, 4000)).rejects.toThrow(/special token 4000/);
});
