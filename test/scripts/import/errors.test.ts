import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run, type Ended } from '../command.ts';
import { copyOf, edited, scratch, type Edit } from './fixtures.ts';

async function importCopy(
  model: string,
  damage: (folder: string) => Promise<void>,
  ...options: readonly string[]
): Promise<Ended & { readonly files: readonly string[] }> {
  const [folder, out] = [await copyOf(model), await scratch()];
  await damage(folder);
  const ended = await run('import.ts', [folder, '--id', 'model', '--out', out, ...options]);
  return {
    ...ended,
    files: await readdir(out, { recursive: true }).then((paths) => paths.map((path) => basename(path))),
  };
}

const change = (name: string, content: string | Buffer) => (folder: string) =>
  writeFile(`${folder}/${name}`, content);
const remove = (name: string) => (folder: string) => rm(`${folder}/${name}`);
const weights = (edit: Edit) => async (folder: string) => {
  const path = `${folder}/model.safetensors`;
  await writeFile(path, edited(await readFile(path), edit));
};
const config = (edit: (config: Record<string, unknown>) => void) => async (folder: string) => {
  const path = `${folder}/config.json`;
  const json = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  edit(json);
  await writeFile(path, JSON.stringify(json));
};

const fc1 = 'model.vision_model.encoder.layers.1.mlp.fc1.weight';

describe('says what is wrong, where, and what to do', () => {
  it.each<[string, string, (folder: string) => Promise<void>, readonly string[]]>([
    ['no config', 'clip', remove('config.json'), ['no config.json', 'Download']],
    ['a config that is no JSON', 'clip', change('config.json', '{'), ['config.json', 'not JSON']],
    [
      'an unknown architecture',
      'clip',
      config((json) => (json.model_type = 'blip')),
      ['model_type blip', 'glimpse, idefics3, smolvlm, llava, clip, siglip'],
    ],
    ['no architecture', 'clip', change('config.json', '{}'), ['config.json: has no model_type']],
    [
      'an unknown decoder',
      'llava-clip-llama',
      config((json) => (json.text_config = { model_type: 'gpt2' })),
      ['config.json', 'text_config.model_type'],
    ],
    [
      'a field of another type',
      'idefics3',
      config((json) => (json.scale_factor = 'four')),
      ['config.json', 'scale_factor'],
    ],
    ['no weights', 'clip', remove('model.safetensors'), ['neither model.safetensors nor', 'save_pretrained']],
    [
      'a shard that is not there',
      'idefics3',
      remove('model-00002-of-00004.safetensors'),
      ['model-00002-of-00004.safetensors', 'Download'],
    ],
    [
      'a pointer instead of weights',
      'clip',
      change('model.safetensors', 'version https://git-lfs.github.com/spec/v1\n'),
      ['git-lfs'],
    ],
    [
      'a header that is none',
      'clip',
      change('model.safetensors', Buffer.from('\x04\0\0\0\0\0\0\0what', 'latin1')),
      ['model.safetensors is no safetensors file', 'Download'],
    ],
    [
      'weights that are cut off',
      'clip',
      async (folder) => {
        const path = `${folder}/model.safetensors`;
        await writeFile(path, (await readFile(path)).subarray(0, -2));
      },
      ['model.safetensors is cut off', 'Download'],
    ],
    [
      'a dtype that is not a float',
      'smolvlm',
      weights({
        header: (header) => {
          const entry = header[fc1];
          if (entry) Object.assign(entry, { dtype: 'I32' });
        },
      }),
      [`${fc1} is I32`, 'F32, F16, BF16'],
    ],
    [
      'a tensor that is missing, and one too many',
      'smolvlm',
      weights({
        header: (header) => {
          const { [fc1]: entry } = header;
          if (entry) header['model.vision_model.encoder.layers.2.mlp.fc1.weight'] = entry;
          Reflect.deleteProperty(header, fc1);
        },
      }),
      [
        'vision_tower.encoder.layers.1.mlp.fc1.weight [40,24] is missing',
        'model.vision_model.encoder.layers.2.mlp.fc1.weight [40,24] has no place',
      ],
    ],
    [
      'a shape that the configuration does not ask for',
      'smolvlm',
      config((json) => Object.assign(json.text_config as object, { vocab_size: 56 })),
      ['model.text_model.embed_tokens.weight is [48,24]; config.json asks for [56,24]'],
    ],
    [
      'outputs that the kernels do not take',
      'smolvlm',
      config((json) => Object.assign(json.text_config as object, { intermediate_size: 44 })),
      ['language_model.model.layers.0.mlp.gate_proj has 44 outputs', 'multiples of 8'],
    ],
    [
      'a NaN',
      'smolvlm',
      weights({ data: (data, at) => data.setFloat32(at(fc1) + 4 * (24 * 3 + 5), NaN, true) }),
      [`${fc1} has NaN at [3,5]`],
    ],
    [
      'an infinity in a bias',
      'smolvlm',
      weights({
        data: (data, at) => data.setFloat32(at(fc1.replace('weight', 'bias')) + 4 * 7, -Infinity, true),
      }),
      ['fc1.bias has -Infinity at [7]'],
    ],
    [
      'a weight out of all proportion',
      'smolvlm',
      weights({ data: (data, at) => data.setFloat32(at(fc1), 1e6, true) }),
      ['vision_tower.encoder.layers.1.mlp.fc1', '1000000', 'float16'],
    ],
    ['no tokenizer', 'clip', remove('tokenizer.json'), ['no tokenizer.json', 'save_pretrained']],
    [
      'no chat template',
      'smolvlm',
      remove('chat_template.jinja'),
      ['no chat template', 'chat_template.jinja'],
    ],
    ['no image processor', 'clip', remove('preprocessor_config.json'), ['preprocessor_config.json']],
    [
      'a pointer instead of a tokenizer',
      'clip',
      change('tokenizer.json', 'version https://git-lfs.github.com/spec/v1\n'),
      ['tokenizer.json', 'not JSON', 'Download'],
    ],
    [
      'a tokenizer that is none',
      'clip',
      change('tokenizer.json', '{"model": {}}'),
      ['make no model that can be asked', 'tokenizer.json: '],
    ],
    [
      'a filter that there is not',
      'clip',
      change('preprocessor_config.json', '{"resample": 5}'),
      ['preprocessor_config.json', 'resample'],
    ],
    [
      'a template that is none',
      'smolvlm',
      change('chat_template.jinja', '{% for %}'),
      ['chat_template is no Jinja template: '],
    ],
    [
      'an image token that the tokenizer has not',
      'smolvlm',
      config((json) => (json.image_token_id = 5)),
      ['tokenizer.json has no special token 5'],
    ],
    [
      'pictures that fill the context',
      'smolvlm',
      config((json) => Object.assign(json.text_config as object, { max_position_embeddings: 9 })),
      ['a picture is 9 tokens', 'max_position_embeddings 9'],
    ],
    [
      'no token that ends an answer',
      'llava-siglip-qwen2',
      remove('generation_config.json'),
      ['generation_config.json', 'eos_token_id'],
    ],
  ])('%s', async (_, model, damage, said) => {
    const { code, stderr, files } = await importCopy(model, damage);
    expect([code, files]).toEqual([1, expect.not.arrayContaining(['manifest.json'])]);
    for (const words of said) expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it.each([
    ['a pattern that names no layer', 'lm_heat', ['lm_heat matches no layer']],
    ['an embedding in 8 bits', 'embed_tokens', ['embed_tokens is looked up by token']],
    ['some layers of one product', 'layers.0.self_attn.q_proj', ['q_proj', 'k_proj', 'one product']],
  ])('--8bit: %s', async (_, pattern, said) => {
    const { code, stderr, files } = await importCopy('idefics3', () => Promise.resolve(), '--8bit', pattern);
    expect([code, files]).toEqual([1, []]);
    for (const words of said) expect(stderr).toContain(words);
  });

  it('no tokenizer_config.json, in a dry run too', async () => {
    const { code, stdout, stderr } = await importCopy('clip', remove('tokenizer_config.json'), '--dry-run');
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining('no tokenizer_config.json')]);
  });

  it('writes nothing where the weights are not those of the configuration', async () => {
    const { code, files } = await importCopy(
      'idefics3',
      config((json) => (json.scale_factor = 1)),
    );
    expect([code, files]).toEqual([1, []]);
  });
});

describe('shows its usage for wrong arguments', () => {
  it.each([
    ['no folder', ['--id', 'x'], 'no model folder'],
    ['no name', ['folder'], '--id NAME'],
    ['a name that leads elsewhere', ['folder', '--id', '../x'], '--id "../x"'],
    ['two folders', ['a', 'b', '--id', 'x'], 'One folder'],
    ['no regular expression', ['a', '--id', 'x', '--8bit', '('], '--8bit ('],
    ['an unknown option', ['a', '--id', 'x', '--bits', '3'], '--bits'],
  ])('%s', async (_, args, said) => {
    const { code, stderr } = await run('import.ts', args);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
    expect(stderr).toContain('npm run import -- <folder> --id NAME');
  });
});
