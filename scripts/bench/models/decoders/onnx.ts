import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-web';
import type { LlamaConfig } from '../../../../src/model/llama/config.ts';
import type { DecoderDtype } from '../../../onnx/llama-graph.ts';
import { openSession, tensor } from '../../onnx.ts';
import { FILES } from './files.ts';
import { continueGreedily, type DecoderRival } from './rival.ts';

/**
 * The graphs that transformers.js runs, run as it runs them, without what it does around them: embed_tokens, then
 * decoder_model_merged, whose `present` becomes the next pass's `past_key_values`.
 */
export async function openOnnx(
  folder: string,
  dtype: DecoderDtype,
  { num_hidden_layers, num_key_value_heads, head_dim }: LlamaConfig,
): Promise<DecoderRival> {
  const embed = await openSession(readFileSync(join(folder, FILES.embed)));
  const decoder = await openSession(readFileSync(join(folder, FILES[dtype])));
  const integers = (values: readonly number[], dims: readonly number[]) =>
    new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims);

  function begin(): (ids: readonly number[]) => Promise<Float32Array> {
    const nothing = (): ort.Tensor => tensor(new Float32Array(), [1, num_key_value_heads, 0, head_dim]);
    const names = Array.from({ length: num_hidden_layers }, (_, i) => [`${i}.key`, `${i}.value`]).flat();
    let past = Object.fromEntries(names.map((name) => [`past_key_values.${name}`, nothing()]));
    let length = 0;
    return async (ids) => {
      length += ids.length;
      const { inputs_embeds } = await embed.run({ input_ids: integers(ids, [1, ids.length]) });
      const outputs = await decoder.run({
        ...past,
        ...(inputs_embeds && { inputs_embeds }),
        attention_mask: integers(Array<number>(length).fill(1), [1, length]),
        num_logits_to_keep: integers([1], []),
      });
      past = Object.fromEntries(
        names.map((name) => [`past_key_values.${name}`, outputs[`present.${name}`] ?? nothing()]),
      );
      return outputs.logits?.data as Float32Array;
    };
  }
  return {
    continue: (ids, count) => continueGreedily(ids, count, begin()),
    logits: (ids) => begin()(ids),
    async release() {
      await embed.release();
      await decoder.release();
    },
  };
}
