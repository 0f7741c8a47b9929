import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readHeader } from '../../src/image/header.ts';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import { preprocessImage } from '../../src/image/preprocess.ts';
import { NO_REQUEST } from '../../src/node.ts';
import { concatenated } from '../../src/onnx/tensors.ts';
import type { GenerativeBundle } from '../../src/pipeline/loaded-bundle.ts';
import { loadTransformers, modelOptions } from '../../scripts/onnx/transformers-js.ts';
import { FOLDER, MODELS, isCaptioner, openModel, pipelineOf, type Model } from './fixtures.ts';

const transformers = await loadTransformers(FOLDER);
const {
  AutoModelForImageTextToText,
  AutoModelForVision2Seq,
  AutoProcessor,
  AutoTokenizer,
  RawImage,
  Tensor,
} = transformers;
const PHOTOS = ['rocket.jpg', 'astronaut.png', 'coffee.png'];
const PROMPTS = ['what is it?', 'describe the man'];

const photo = async (name: string) => new Uint8Array(await readFile(`test/fixtures/photos/${name}`));

/** The pixels that the model sees here: the two resize a photo in ways of their own. */
async function pixelsOf(bundle: GenerativeBundle, bytes: Uint8Array) {
  const pixels = await preprocessImage(bytes, bundle.preprocessor_config, DEFAULT_LIMITS);
  const images = Array.from({ length: pixels.shape[0] }, (_, index) => pixels.read(index));
  return new Tensor('float32', concatenated(images), [...pixels.shape]);
}

describe.each(MODELS)('%s says what transformers.js says', async (name) => {
  const bundle = await openModel(name, 'build/onnx-oracle');
  const pipeline = pipelineOf(name, bundle);
  const oracle = await oracleOf(name);
  const prompts = isCaptioner(name) ? [''] : PROMPTS;

  it.each(PHOTOS)('of %s', async (file) => {
    const bytes = await photo(file);
    const pixel_values = await pixelsOf(bundle, bytes);
    for (const prompt of prompts) {
      const { answer } = await pipeline.ask({
        ...NO_REQUEST,
        ...{ image: { bytes }, prompt, is_caption: prompt === '', generation: {} },
      });
      expect(answer, prompt).toBe(await oracle(pixel_values, prompt, readHeader(bytes)));
    }
  });
});

type Oracle = (
  pixel_values: InstanceType<typeof Tensor>,
  prompt: string,
  size: { readonly width: number; readonly height: number },
) => Promise<string>;

const oracleOf = (name: Model): Promise<Oracle> =>
  name === 'tiny-llava' || name === 'tiny-smolvlm' ? prefixOracle(name) : crossAttentionOracle(name);

/** Its processors give the prompt, from an image of the photo's size. */
async function prefixOracle(name: Model): Promise<Oracle> {
  const isTiled = name === 'tiny-smolvlm';
  const external = isTiled ? [] : ['decoder_model_merged.onnx'];
  const model = await AutoModelForImageTextToText.from_pretrained(name, modelOptions('fp32', external));
  const processor = await AutoProcessor.from_pretrained(name);
  return async (pixel_values, text, { width, height }) => {
    const content = [{ type: 'image' }, { type: 'text', text }];
    const prompt = processor.apply_chat_template([{ role: 'user', content }], {
      add_generation_prompt: true,
    });
    const image = new RawImage(new Uint8ClampedArray(width * height * 3), width, height, 3);
    const inputs = (await (isTiled ? processor(prompt, image) : processor(image, prompt))) as {
      readonly input_ids: InstanceType<typeof Tensor>;
    };
    const pixels = isTiled ? pixel_values.unsqueeze(0) : pixel_values;
    const output = await model.generate({ ...inputs, pixel_values: pixels });
    return textBehind(processor, output, inputs.input_ids.dims[1]);
  };
}

async function crossAttentionOracle(name: Model): Promise<Oracle> {
  const model = await AutoModelForVision2Seq.from_pretrained(name, modelOptions('fp32'));
  const tokenizer = await AutoTokenizer.from_pretrained(name);
  return async (pixel_values, text) => {
    const task = `<s_docvqa><s_question>${text}</s_question><s_answer>`;
    // As its pipelines document-question-answering and image-to-text do.
    const { input_ids } = tokenizer(task, { add_special_tokens: false });
    if (text === '') return textBehind(tokenizer, await model.generate({ inputs: pixel_values }), 1);
    const output = await model.generate({ inputs: pixel_values, decoder_input_ids: input_ids });
    return textBehind(tokenizer, output, input_ids.dims[1]);
  };
}

interface Decodes {
  batch_decode(ids: number[][], options: { skip_special_tokens: boolean }): string[];
}

function textBehind(decodes: Decodes, output: unknown, prompt_length: number | undefined): string {
  if (!(output instanceof Tensor)) throw new TypeError('generate gave no ids');
  const ids = (output.tolist() as number[][]).map((row) => row.slice(prompt_length));
  return decodes.batch_decode(ids, { skip_special_tokens: true })[0] ?? '';
}
