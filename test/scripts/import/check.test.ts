import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeSafetensors } from '../../../scripts/bundle/safetensors-writer.ts';
import { readSafetensors } from '../../../src/bundle/safetensors.ts';
import { run } from '../command.ts';
import { copyOf, edited, MODELS, scratch } from './fixtures.ts';

interface Printed {
  /** In percent, by layer. */
  readonly errors: ReadonlyMap<string, number>;
  readonly agreeing: number;
}

const check = (model: string, ...options: readonly string[]): Promise<Printed> =>
  checkFolder(`${MODELS}/${model}`, ...options);

async function checkFolder(folder: string, ...options: readonly string[]): Promise<Printed> {
  const args = [folder, '--id', 'model', '--out', await scratch(), '--check', ...options];
  const { code, stdout, stderr } = await run('import.ts', args);
  if (code !== 0) throw new Error(stderr);
  const lines = [...stdout.matchAll(/^([\w.]+) +(\d+\.\d\d)%$/gm)];
  const [, agreeing = ''] = /same at (\d+) of \d+ positions/.exec(stdout) ?? [];
  return {
    errors: new Map(lines.map(([, name = '', error]) => [name, Number(error)])),
    agreeing: Number(agreeing),
  };
}

const layers = (part: string, last: string) => [0, 1].map((i) => `${part}.layers.${i}.mlp.${last}`);
const DECODER = [...layers('language_model.model', 'down_proj'), 'logits'];

it.each([
  ['smolvlm', [...layers('vision_tower.encoder', 'fc2'), 'connector.modality_projection.proj', ...DECODER]],
  [
    'siglip',
    [
      'vision_tower.encoder.layers.0.mlp.fc2',
      'vision_tower.encoder.layers.1.mlp.fc2',
      'vision_tower.head.mlp.fc2',
      'text_model.encoder.layers.0.mlp.fc2',
      'image_embeds',
      'text_embeds',
      'logits',
    ],
  ],
  // Its features are the last hidden states but one.
  [
    'llava-clip-mistral',
    ['vision_tower.encoder.layers.0.mlp.fc2', 'multi_modal_projector.linear_2', ...DECODER],
  ],
])('%s: in the order in which its layers run', async (model, names) => {
  const { errors } = await check(model);
  expect([...errors.keys()]).toEqual(['vision_tower.embeddings.patch_embedding', ...names]);
  // Pixels and the first weights are in 8 bits; those behind are in 4, and their errors add up.
  expect(errors.get('vision_tower.embeddings.patch_embedding')).toBeLessThan(1);
  for (const name of names) {
    expect(errors.get(name)).toBeGreaterThan(0.1);
    expect(errors.get(name)).toBeLessThan(25);
  }
});

it('a vocabulary of any size: the last rows are filled up', async () => {
  const folder = await copyOf('smolvlm');
  const path = join(folder, 'model.safetensors');
  const tensors = readSafetensors(new Uint8Array(await readFile(path)), path).map((tensor) => {
    const [rows = 0, ...rest] = tensor.shape;
    if (!/embed_tokens|lm_head/.test(tensor.name)) return { ...tensor, data: tensor.data.slice() };
    return { ...tensor, shape: [45, ...rest], data: tensor.data.slice(0, (tensor.data.length / rows) * 45) };
  });
  await writeFile(path, writeSafetensors(tensors));
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as { text_config: object };
  Object.assign(config.text_config, { vocab_size: 45 });
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));

  const { errors, agreeing } = await checkFolder(folder);
  expect(errors.get('logits')).toBeLessThan(25);
  expect(agreeing).toBeGreaterThan(0);
});

it('takes a text half of SigLIP whose configuration names no end of a text', async () => {
  const folder = await copyOf('siglip');
  const config = await readFile(join(folder, 'config.json'), 'utf8');
  await writeFile(join(folder, 'config.json'), config.replace(/.*"eos_token_id".*\n/, ''));
  expect((await checkFolder(folder)).errors.get('text_embeds')).toBeLessThan(25);
});

it('says so where 4 bits hold the weights exactly', async () => {
  const [folder, out] = [await copyOf('clip'), await scratch()];
  const path = join(folder, 'model.safetensors');
  const zeros = (data: DataView): void => {
    for (let at = 0; at < data.byteLength; at++) data.setUint8(at, 0);
  };
  await writeFile(path, edited(await readFile(path), { data: zeros }));
  const { code, stdout } = await run('import.ts', [folder, '--id', 'zeros', '--out', out]);
  expect([code, stdout]).toEqual([0, expect.stringContaining('4-bit weights: exact.')]);
});

it('shows what 8 bits are worth', async () => {
  const all = '^(?!.*embed_tokens)';
  const [four, eight] = [await check('idefics3'), await check('idefics3', '--8bit', all)];
  for (const name of ['vision_tower.encoder.layers.1.mlp.fc2', 'connector.modality_projection.proj']) {
    expect(eight.errors.get(name)).toBeLessThan((four.errors.get(name) ?? 0) / 5);
  }
  // Activations are rounded to 8 bits at every product: no error is smaller than that.
  expect(eight.errors.get('logits')).toBeLessThan(four.errors.get('logits') ?? 0);
  expect(eight.agreeing).toBeGreaterThanOrEqual(four.agreeing - 1);
});
