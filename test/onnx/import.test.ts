import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBundle } from '../../src/bundle/bundle.ts';
import { SHARD_LIMIT } from '../../src/bundle/manifest.ts';
import { fileSource } from '../../src/bundle/sources/file.ts';
import { readConfig } from '../../src/onnx/config.ts';
import { graphFile } from '../../src/onnx/graphs.ts';
import { createChatTemplate } from '../../src/text/prompt.ts';
import { withChatTemplate } from '../../scripts/onnx/chat-template.ts';
import { chooseGraphs } from '../../scripts/onnx/choose-graphs.ts';
import { importFolder } from '../../scripts/onnx/import-folder.ts';
import { openOnnxBundle } from '../../scripts/onnx/open-bundle.ts';
import { FOLDER } from './fixtures.ts';

let folder: string;
let out: string;
beforeEach(async () => {
  const temporary = await mkdtemp(join(tmpdir(), 'glimpse-onnx-'));
  [folder, out] = [join(temporary, 'model'), join(temporary, 'bundles')];
  await cp(`${FOLDER}/tiny-llava`, folder, { recursive: true });
});
afterEach(() => rm(join(folder, '..'), { recursive: true }));

describe('where a graph is there in several dtypes', () => {
  beforeEach(() => cp(`${folder}/onnx/embed_tokens.onnx`, `${folder}/onnx/embed_tokens_fp16.onnx`));

  it('one has to be chosen', async () => {
    await expect(chooseGraphs(folder, [])).rejects.toThrow(
      'embed_tokens is there in fp32, fp16: choose by --dtype fp16, or for this graph alone by --dtype embed_tokens=fp16.',
    );
    expect(await chooseGraphs(folder, ['embed_tokens=fp16'])).toEqual([
      'vision_encoder.onnx',
      'embed_tokens_fp16.onnx',
      'decoder_model_merged.onnx',
    ]);
    expect(await chooseGraphs(folder, ['fp32'])).toContain('embed_tokens.onnx');
    expect(await chooseGraphs(folder, ['fp16'])).toEqual(await chooseGraphs(folder, ['embed_tokens=fp16']));
  });

  it('one that is not there or not known is refused by name', async () => {
    await expect(chooseGraphs(folder, ['q4', 'embed_tokens=fp16'])).rejects.toThrow('no graph of dtype q4');
    await expect(chooseGraphs(folder, ['q4'])).rejects.toThrow(
      'fp32, fp16, not in q4: choose by --dtype fp16',
    );
    await expect(chooseGraphs(folder, ['vision_encoder=q4'])).rejects.toThrow('in fp32, not in q4');
    await expect(chooseGraphs(folder, ['q3'])).rejects.toThrow('no dtype q3');
    await expect(chooseGraphs(folder, ['encoder_model=q4'])).rejects.toThrow('no encoder_model');
  });

  it('a bundle of the other engine says which Worker runs it', async () => {
    await expect(openOnnxBundle('model-shards', 'glimpse-10m')).rejects.toThrow(
      'has no ONNX graphs: it is one for the default Worker, npm run dev',
    );
  });

  it('a bundle that has both says so', () => {
    const files = ['embed_tokens.onnx', 'embed_tokens_fp16.onnx', 'vision_encoder_q4.onnx'];
    expect(() => graphFile({ id: 'x', files }, 'embed_tokens')).toThrow('several of one graph');
    expect(() => graphFile({ id: 'x', files }, 'encoder_model')).toThrow('no encoder_model.onnx');
    expect(graphFile({ id: 'x', files }, 'vision_encoder')).toBe('vision_encoder_q4.onnx');
  });
});

it('takes a graph with its external data, and the same folder gives the same bundle', async () => {
  const graphs = await chooseGraphs(folder, []);
  const digest = await importFolder(folder, graphs, { id: 'tiny', out });
  expect(await importFolder(folder, graphs, { id: 'tiny', out })).toBe(digest);
  const { files } = await openBundle(fileSource(out), 'tiny');
  expect(files).toContain('decoder_model_merged.onnx_data');
  expect(files).not.toContain('make.py');
});

it('cuts what is larger than a shard, and a bundle puts it together again', async () => {
  const large = Uint8Array.from({ length: 2 * SHARD_LIMIT + 5 }, (_, i) => i * 7 + (i >> 8));
  await writeFile(`${folder}/onnx/decoder_model_merged.onnx_data`, large);
  await importFolder(folder, await chooseGraphs(folder, []), { id: 'tiny', out });
  const pieces = await readFile(`${out}/tiny/decoder_model_merged.onnx_data-00003-of-00003`);
  expect(pieces.length).toBe(5);
  const bundle = await openBundle(fileSource(out), 'tiny');
  expect(bundle.files).toContain('decoder_model_merged.onnx_data');
  expect(Buffer.compare(await bundle.bytes('decoder_model_merged.onnx_data'), large)).toBe(0);
});

describe('how a model without a chat template is asked', () => {
  const donut = `${FOLDER}/tiny-donut`;
  const user = (content: readonly object[]) => ({ role: 'user', content });
  const templateOf = async (task_prompt?: string) =>
    createChatTemplate(await withChatTemplate(donut, task_prompt)).template;

  it('the task prompt of its model card has the question in its place', async () => {
    const template = await templateOf('<s_docvqa><s_question>{user_input}</s_question><s_answer>');
    const question = user([{ type: 'image' }, { type: 'text', text: 'how much?' }]);
    expect(template.render({ messages: [question] })).toBe(
      '<s_docvqa><s_question>how much?</s_question><s_answer>',
    );
    expect(() => template.render({ messages: [question, question] })).toThrow('send one message');
  });

  it('a task prompt without a question takes none', async () => {
    const template = await templateOf('<s_cord-v2>');
    expect(template.render({ messages: [user([{ type: 'image' }])] })).toBe('<s_cord-v2>');
    const asked = user([{ type: 'image' }, { type: 'text', text: 'how much?' }]);
    expect(() => template.render({ messages: [asked] })).toThrow('/v1/caption');
  });

  it('one that is not needed or not clear is refused', async () => {
    await expect(withChatTemplate(donut)).rejects.toThrow('--task-prompt');
    await expect(withChatTemplate(donut, '{user_input}{user_input}')).rejects.toThrow('more than once');
    await expect(withChatTemplate(folder, '<s_cord-v2>')).rejects.toThrow('leave out --task-prompt');
  });
});

describe('a folder that cannot be run says what is wrong', () => {
  it('a graph is not there', async () => {
    await rename(`${folder}/onnx/embed_tokens.onnx`, `${folder}/onnx/other.onnx`);
    await expect(chooseGraphs(folder, [])).rejects.toThrow('no embed_tokens.onnx in onnx/');
  });

  it('a graph’s weights are not there', async () => {
    await rm(`${folder}/onnx/decoder_model_merged.onnx_data`);
    const graphs = await chooseGraphs(folder, []);
    await expect(importFolder(folder, graphs, { id: 'tiny', out })).rejects.toThrow(
      'decoder_model_merged.onnx has weights in decoder_model_merged.onnx_data',
    );
  });

  it('there is no tokenizer', async () => {
    await rm(`${folder}/tokenizer.json`);
    const graphs = await chooseGraphs(folder, []);
    await expect(importFolder(folder, graphs, { id: 'tiny', out })).rejects.toThrow('has no tokenizer.json');
  });

  it('there is no folder, and none of graphs', async () => {
    await expect(chooseGraphs('/nowhere', [])).rejects.toThrow('/nowhere has no config.json');
    await rm(`${folder}/onnx`, { recursive: true });
    await expect(chooseGraphs(folder, [])).rejects.toThrow('no folder onnx/');
  });

  it('no chat template and nothing that a decoder starts with', async () => {
    await writeFile(`${folder}/tokenizer_config.json`, '{}');
    const graphs = await chooseGraphs(folder, []);
    await expect(importFolder(folder, graphs, { id: 'tiny', out })).rejects.toThrow('no chat template');
  });

  it.each([
    [{ model_type: 'paligemma' }, 'model_type'],
    [{ model_type: 'llava', text_config: { vocab_size: 8, max_position_embeddings: 8 } }, 'image_token_id'],
    [
      { model_type: 'vision-encoder-decoder', encoder: { hidden_size: 8 }, decoder: { vocab_size: 8 } },
      'max_position_embeddings',
    ],
  ])('%o: %s', (config, field) => {
    expect(() => readConfig(config, 'x')).toThrow(field);
  });
});
