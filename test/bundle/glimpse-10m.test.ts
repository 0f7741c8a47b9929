import { Template } from '@huggingface/jinja';
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/bundle/manifest.ts';
import { BUNDLE } from './places.ts';

const json = async (name: string) => JSON.parse(await readFile(join(BUNDLE, name), 'utf8')) as unknown;
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');

test('the manifest tells every file’s size and SHA-256, and a digest of the whole', async () => {
  const { files, digest } = (await json('manifest.json')) as Manifest;
  const names = (await readdir(BUNDLE)).filter((name) => name !== 'manifest.json').sort();
  const lines: string[] = [];
  for (const name of names) {
    const bytes = await readFile(join(BUNDLE, name));
    expect(files[name], name).toEqual({ size: bytes.length, sha256: sha256(bytes) });
    lines.push(`${sha256(bytes)} ${bytes.length} ${name}\n`);
  }
  expect(Object.keys(files)).toEqual(names);
  expect(digest).toBe(sha256(lines.join('')));
});

test('vision, classifier, token embeddings and text share no shard, and no shard is larger than 4 MiB', async () => {
  const { weight_map, metadata } = (await json('model.safetensors.index.json')) as {
    weight_map: Record<string, string>;
    metadata: { total_size: number };
  };
  const part = (name: string) => /classifier|embed_tokens/.exec(name)?.[0] ?? name.split('.')[0] ?? '';
  const shards = Map.groupBy(Object.entries(weight_map), ([, shard]) => shard);
  const parts = Array.from(shards, ([shard, names]) => [
    shard,
    [...new Set(names.map(([n]) => part(n)))].sort(),
  ]);
  expect(parts.sort()).toEqual([
    ['model-00001-of-00004.safetensors', ['multi_modal_projector', 'vision_tower']],
    ['model-00002-of-00004.safetensors', ['classifier']],
    ['model-00003-of-00004.safetensors', ['embed_tokens']],
    ['model-00004-of-00004.safetensors', ['language_model']],
  ]);

  const oracle = JSON.parse(await readFile('test/fixtures/bundle/tensors.json', 'utf8')) as object;
  expect(Object.keys(weight_map)).toEqual(Object.keys(oracle));
  let data = 0;
  for (const shard of shards.keys()) {
    const file = await readFile(join(BUNDLE, shard));
    expect(file.length).toBeLessThanOrEqual(4 * 1024 * 1024);
    const headerSize = Number(file.readBigUInt64LE());
    expect((8 + headerSize) % 16).toBe(0);
    data += file.length - 8 - headerSize;
  }
  expect(metadata.total_size).toBe(data);
});

describe('the chat template', async () => {
  const { chat_template } = (await json('tokenizer_config.json')) as { chat_template: string };
  const template = new Template(chat_template);
  const image = { type: 'image' };
  const text = (text: string) => ({ type: 'text', text });
  const user = (content: unknown) => ({ role: 'user', content });

  test.each([
    ['text alone', [user('Hi?')], '<|user|>Hi?<|assistant|>'],
    ['image and text', [user([image, text('Hi?')])], '<|user|><image>Hi?<|assistant|>'],
    ['the image first wherever it stood', [user([text('Hi?'), image])], '<|user|><image>Hi?<|assistant|>'],
    [
      'whitespace as it came, and none of its own',
      [user([text(' a '), image, text('b\n')])],
      '<|user|><image> a b\n<|assistant|>',
    ],
    [
      'a system message before the first user’s text',
      [{ role: 'system', content: 'Be brief.' }, user([image, text('Hi?')]), user('And?')],
      '<|user|><image>Be brief. Hi?<|user|>And?<|assistant|>',
    ],
    [
      'an earlier answer',
      [user([image, text('Hi?')]), { role: 'assistant', content: [text('Yes.')] }, user('And?')],
      '<|user|><image>Hi?<|assistant|>Yes.<|end|><|user|>And?<|assistant|>',
    ],
  ])('writes %s', (_, messages, prompt) => {
    expect(template.render({ messages, add_generation_prompt: true })).toBe(prompt);
    expect(template.render({ messages, add_generation_prompt: false })).toBe(
      prompt.slice(0, -'<|assistant|>'.length),
    );
  });

  test('refuses a role it does not know', () => {
    const messages = [{ role: 'tool', content: 'x' }];
    expect(() => template.render({ messages, add_generation_prompt: true })).toThrow(/not tool/);
  });
});
