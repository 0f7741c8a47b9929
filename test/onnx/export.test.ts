import { rm } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { chooseGraphs } from '../../scripts/onnx/choose-graphs.ts';
import { exportFolder } from '../../scripts/onnx/export-folder.ts';
import { importFolder } from '../../scripts/onnx/import-folder.ts';
import { openOnnxBundle } from '../../scripts/onnx/open-bundle.ts';
import { loadTransformers, modelOptions } from '../../scripts/onnx/transformers-js.ts';
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
