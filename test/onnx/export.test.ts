import { readdir, rm, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  chatTemplate,
  preprocessorConfig,
  processorConfig,
  smolVlmConfig,
} from '../../scripts/bench/smolvlm/configs.ts';
import { writeCheckpoint } from '../../scripts/bench/smolvlm/write-checkpoint.ts';
import { chooseGraphs } from '../../scripts/onnx/choose-graphs.ts';
import { exportFolder } from '../../scripts/onnx/export-folder.ts';
import { importFolder } from '../../scripts/onnx/import-folder.ts';
import { openOnnxBundle } from '../../scripts/onnx/open-bundle.ts';
import { loadTransformers, modelOptions } from '../../scripts/onnx/transformers-js.ts';
import { run, type Ended } from '../scripts/command.ts';
import { cosine, divergence, greedy, readGoldens, relativeError } from '../model/goldens.ts';

const FOLDER = 'build/onnx-export';
const BUNDLES = `${FOLDER}/bundles`;
const goldens = readGoldens('test/fixtures/model');
const images = Array.from({ length: goldens.images }, (_, image) => image);

beforeAll(async () => {
  await rm(FOLDER, { recursive: true, force: true });
  await exportFolder('model-shards', 'glimpse-10m', `${FOLDER}/glimpse-10m`);
});

/** The exported folder as a bundle of ours. */
async function modelOf(dtype: 'fp32' | 'q4') {
  const graphs = await chooseGraphs(`${FOLDER}/glimpse-10m`, [dtype]);
  await importFolder(`${FOLDER}/glimpse-10m`, graphs, { id: dtype, out: BUNDLES });
  return (await openOnnxBundle(BUNDLES, dtype)).model;
}

describe('the default model, exported', () => {
  it('is PyTorch to 1e-3 in float32, to the last token', async () => {
    const model = await modelOf('fp32');
    const [encoder, decoder] = [await model.encoder(), await model.decoder()];
    const embeds = [];
    for (const image of images) embeds.push(await encoder.encode(goldens.pixel_values(image)));
    for (const image of images) {
      const expected = goldens.tensor(`${image}.image_embeds`);
      expect(relativeError(embeds[image]?.data ?? new Float32Array(), expected)).toBeLessThan(1e-3);
    }
    for (const [i, golden] of goldens.cases.entries()) {
      const image_embeds = embeds[golden.image];
      if (image_embeds === undefined) throw new Error('no embeddings of an image');
      const { ids, first_logits } = await greedy(decoder, image_embeds, golden);
      expect(relativeError(first_logits, goldens.tensor(`${i}.first_logits`))).toBeLessThan(1e-3);
      expect(divergence(ids, golden), golden.prompt).toBeUndefined();
    }
  });

  it('is PyTorch in 4 bits to the error of 8-bit activations, to the first near tie', async () => {
    const model = await modelOf('q4');
    const [encoder, decoder] = [await model.encoder(), await model.decoder()];
    for (const [i, golden] of goldens.cases.entries()) {
      const image_embeds = await encoder.encode(goldens.pixel_values(golden.image));
      const { ids, first_logits } = await greedy(decoder, image_embeds, golden);
      expect(cosine(first_logits, goldens.tensor(`${i}.first_logits`))).toBeGreaterThan(0.995);
      const unsure = golden.margins.findIndex((margin) => margin < 0.3);
      const parted = divergence(ids, golden) ?? Infinity;
      expect(parted, golden.prompt).toBeGreaterThanOrEqual(unsure < 0 ? Infinity : unsure);
    }
  });

  it('says in transformers.js what PyTorch says', async () => {
    const { AutoModelForImageTextToText, AutoProcessor, RawImage, Tensor } = await loadTransformers(FOLDER);
    const model = await AutoModelForImageTextToText.from_pretrained('glimpse-10m', modelOptions('fp32'));
    const processor = await AutoProcessor.from_pretrained('glimpse-10m');
    const anyImage = new RawImage(new Uint8ClampedArray(224 * 224 * 3), 224, 224, 3);
    for (const golden of goldens.cases.slice(0, 6)) {
      const content = [{ type: 'image' }, { type: 'text', text: golden.prompt }];
      const prompt = processor.apply_chat_template([{ role: 'user', content }], {
        add_generation_prompt: true,
      });
      const inputs = (await processor(anyImage, prompt)) as {
        readonly input_ids: InstanceType<typeof Tensor>;
      };
      const pixels = goldens.pixel_values(golden.image);
      const pixel_values = new Tensor('float32', pixels.read(0), [...pixels.shape]);
      const output = await model.generate({ ...inputs, pixel_values });
      if (!(output instanceof Tensor)) throw new TypeError('generate gave no ids');
      const [ids = []] = output.tolist() as bigint[][];
      expect(ids.slice(inputs.input_ids.dims[1]).map(Number), golden.prompt).toEqual(golden.answer_ids);
    }
  });
});

describe('a bundle that was imported', () => {
  const importOf = (folder: string, id: string): Promise<Ended> =>
    run('import.ts', [folder, '--id', id, '--out', `${FOLDER}/imported`]);
  const exportOf = (id: string, ...options: readonly string[]): Promise<Ended> =>
    run('export-onnx.ts', [
      '--id',
      id,
      '--from',
      `${FOLDER}/imported`,
      '--out',
      `${FOLDER}/${id}`,
      ...options,
    ]);

  it('is read by transformers.js also where transformers 5 saved it, in files of other names', async () => {
    const { vision_config, text_config } = smolVlmConfig;
    const small = { hidden_size: 192, num_hidden_layers: 1 };
    const folder = `${FOLDER}/published`;
    await writeCheckpoint(
      folder,
      {
        ...smolVlmConfig,
        vision_config: { ...vision_config, ...small, intermediate_size: 192 },
        text_config: { ...text_config, ...small, intermediate_size: 192, num_attention_heads: 3 },
      },
      1,
    );
    await rm(`${folder}/preprocessor_config.json`);
    await rm(`${folder}/chat_template.json`);
    const processor = { ...processorConfig, image_processor: preprocessorConfig };
    await writeFile(`${folder}/processor_config.json`, JSON.stringify(processor));
    await writeFile(`${folder}/chat_template.jinja`, chatTemplate.chat_template);

    expect(await importOf(folder, 'smolvlm')).toMatchObject({ code: 0 });
    expect(await exportOf('smolvlm')).toMatchObject({ code: 0, stderr: '' });
    const { AutoProcessor, RawImage } = await loadTransformers(FOLDER);
    const read = await AutoProcessor.from_pretrained('smolvlm');
    const messages = [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: 'what is it?' }] }];
    const prompt = read.apply_chat_template(messages, { add_generation_prompt: true });
    expect(prompt).toContain('what is it?');
    const image = new RawImage(new Uint8ClampedArray(3 * 64 * 64), 64, 64, 3);
    const { pixel_values } = (await read(prompt, image)) as { readonly pixel_values: { dims: number[] } };
    expect(pixel_values.dims.slice(-3)).toEqual([3, 512, 512]);
  });

  it('of another architecture is refused, and so is a folder that is a bundle', async () => {
    await importOf('test/fixtures/import/clip', 'clip');
    const { code, stderr } = await exportOf('clip');
    expect([code, stderr]).toEqual([
      1,
      'clip is a clip: what can be exported is glimpse, idefics3, smolvlm.\n',
    ]);
    expect(await readdir(FOLDER)).not.toContain('clip');
    const over = await run('export-onnx.ts', ['--out', `${FOLDER}/imported/clip`]);
    expect([over.code, over.stderr]).toEqual([1, expect.stringContaining('is a bundle')]);
  });
});
