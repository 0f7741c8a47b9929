import { dirname, basename } from 'node:path';
import type { DecoderDtype } from '../../onnx/llama-graph.ts';
import { loadTransformers, modelOptions } from '../../onnx/transformers-js.ts';
import { PROMPT } from '../pipeline.ts';
import { timedBy, type Rival } from './rival.ts';

/**
 * transformers.js on Node over onnxruntime-web on one thread. It decodes the photo with sharp, which is native
 * code. It keeps nothing of an image: a repeat goes through the vision encoder again.
 * @param folder as scripts/onnx/export-folder.ts writes it
 * @param decoder the decoder's weights; vision_encoder and embed_tokens are float32
 */
export async function openTransformersJs(
  folder: string,
  decoder: DecoderDtype,
  generation: { readonly max_new_tokens?: number } = {},
): Promise<Rival> {
  const { AutoModelForImageTextToText, AutoProcessor, RawImage, Tensor, TextStreamer } =
    await loadTransformers(dirname(folder));
  const name = basename(folder);
  const dtypes = { vision_encoder: 'fp32', embed_tokens: 'fp32', decoder_model_merged: decoder } as const;
  const model = await AutoModelForImageTextToText.from_pretrained(name, modelOptions(dtypes));
  const processor = await AutoProcessor.from_pretrained(name);
  const { tokenizer } = processor;
  if (tokenizer === undefined) throw new Error('the processor has no tokenizer');
  const content = [{ type: 'image' }, { type: 'text', text: PROMPT }];
  const messages = [{ role: 'user', content }];
  const isIdefics3 = 'image_seq_len' in processor.config; // whose processor takes the text first
  return {
    async ask(image) {
      const start = performance.now();
      const moments: number[] = [];
      const prompt = processor.apply_chat_template(messages, { add_generation_prompt: true });
      const picture = await RawImage.fromBlob(new Blob([image]));
      const inputs = (await (isIdefics3
        ? processor(prompt, [picture])
        : processor(picture, prompt))) as object;
      const streamer = new TextStreamer(tokenizer, {
        skip_prompt: true,
        callback_function: () => undefined, // and not to stdout
        token_callback_function: () => void moments.push(performance.now()),
      });
      const output = await model.generate({ ...inputs, do_sample: false, ...generation, streamer });
      if (!(output instanceof Tensor)) throw new TypeError('generate gave no ids');
      const ids = (output.tolist() as number[][]).map((row) => row.slice(-moments.length));
      const [answer = ''] = processor.batch_decode(ids, { skip_special_tokens: true });
      return timedBy(start, moments, answer);
    },
  };
}
