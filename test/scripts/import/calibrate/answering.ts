import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyOf } from '../fixtures.ts';

const END = { id: 47, content: '<end>' };
const IMAGE = { id: 3, content: '<image>' };
const BYTES = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const TEMPLATE =
  '{% for m in messages %}{% for part in m.content %}' +
  "{% if part.type == 'image' %}<image>{% else %}{{ part.text }}{% endif %}{% endfor %}{% endfor %}";

/** A letter a token; other letters are none. */
function tokenizer(letters: string, post_processor: object | null): object {
  const flags = { special: true, lstrip: false, rstrip: false, normalized: false, single_word: false };
  const names = ['[', ']', '#', IMAGE.content, ...Array.from(letters)];
  return {
    ...{ version: '1.0', truncation: null, padding: null, normalizer: null, post_processor },
    ...{
      pre_tokenizer: BYTES,
      decoder: BYTES,
      added_tokens: [IMAGE, END].map((token) => ({ ...token, ...flags })),
    },
    model: {
      ...{ type: 'BPE', dropout: null, unk_token: null, fuse_unk: false, byte_fallback: false },
      ...{ continuing_subword_prefix: null, end_of_word_suffix: null, ignore_merges: false, merges: [] },
      vocab: Object.fromEntries([...names.map((name, i) => [name, i] as const), [END.content, END.id]]),
    },
  };
}

/** What ends a text of a dual encoder. */
const ENDED = {
  type: 'TemplateProcessing',
  single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: END.content, type_id: 0 } }],
  pair: [],
  special_tokens: { [END.content]: { id: END.content, ids: [END.id], tokens: [END.content] } },
};

/**
 * A copy of a tiny model with all that it takes to run: an image processor, and a tokenizer that has an image
 * token and a template with places for image and text, or that makes few tokens of a dual encoder's texts.
 */
export async function answering(model: string): Promise<string> {
  const folder = await copyOf(model);
  const write = (name: string, json: object): Promise<void> =>
    writeFile(join(folder, name), JSON.stringify(json));
  const isDual = /^(clip|siglip)$/.test(model);
  const size = model === 'glimpse' ? 32 : 24;
  const normal = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };

  for (const name of ['chat_template.json', 'chat_template.jinja']) {
    await rm(join(folder, name), { force: true });
  }
  await write(
    'tokenizer.json',
    isDual ? tokenizer('bcrlk', ENDED) : tokenizer('ĠD.abcdefghijklmnopqrstuvwxyz', null),
  );
  const config = JSON.parse(await readFile(join(folder, 'tokenizer_config.json'), 'utf8')) as object;
  await write('tokenizer_config.json', { ...config, pad_token: END.content, chat_template: TEMPLATE });
  await write('preprocessor_config.json', { ...normal, resample: 2, size: { height: size, width: size } });
  await write('processor_config.json', {});
  return folder;
}
