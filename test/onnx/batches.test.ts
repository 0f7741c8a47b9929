import { describe, expect, it, vi } from 'vitest';
import { openBundle } from '../../src/bundle/bundle.ts';
import { fileSource } from '../../src/bundle/sources/file.ts';
import type { Decoder, PastKeyValues } from '../../src/model/types.ts';
import { createOnnxModel } from '../../src/onnx/model.ts';
import { createNodeRuntime } from '../../src/onnx/node.ts';
import type { Runtime } from '../../src/onnx/runtime.ts';
import { importModel, MODELS } from './fixtures.ts';

const OUT = 'build/onnx-batches';
const WIDTH = 32; // of the encoders whose images are read by cross attention

/** A runtime that tells of the passes of decoders. */
function watched(onPass: () => void): Runtime {
  const runtime = createNodeRuntime();
  return {
    ...runtime,
    async open(...args) {
      const graph = await runtime.open(...args);
      const isDecoder = graph.outputs.includes('logits');
      return {
        ...graph,
        run(feeds) {
          if (isDecoder) onPass();
          return graph.run(feeds);
        },
      };
    },
  };
}

describe.each(MODELS)('%s', async (name) => {
  await importModel(name, OUT);
  const onPass = vi.fn();
  const model = await createOnnxModel(watched(onPass), await openBundle(fileSource(OUT), name));
  const decoder = await model.decoder();

  it('extends sequences of one length in one pass, others apart, each as if it were alone', async () => {
    const start = await begin(decoder, model.image_token_id === undefined);
    const longer = start.fork();
    await decoder.forward([{ past_key_values: longer, input_ids: [9] }]);
    const batch = [
      { past_key_values: start.fork(), input_ids: [7] },
      { past_key_values: longer.fork(), input_ids: [8] },
      { past_key_values: start.fork(), input_ids: [9] },
      { past_key_values: start.fork(), input_ids: [7, 8] },
    ];
    const alone = batch.map((input) => ({ ...input, past_key_values: input.past_key_values.fork() }));
    onPass.mockClear();
    for (const inputs of [batch, batch.map((input) => ({ ...input, input_ids: [11] }))]) {
      const together = await decoder.forward(inputs);
      for (const [index, { input_ids }] of inputs.entries()) {
        const past_key_values = alone[index]?.past_key_values ?? start;
        const [logits] = await decoder.forward([{ past_key_values, input_ids }]);
        expect(distance(together[index], logits)).toBeLessThan(1e-4);
      }
    }
    // Three together and four alone; then, of lengths that are those of two others, two and four.
    expect(onPass).toHaveBeenCalledTimes(3 + 4 + (2 + 4));
  });
});

async function begin(decoder: Decoder, readsImages: boolean): Promise<PastKeyValues> {
  const past_key_values = decoder.create(8);
  const inputs_embeds = Float32Array.from({ length: 4 * WIDTH }, (_, i) => Math.sin(i));
  if (readsImages) await decoder.forward([{ past_key_values, inputs_embeds }]);
  await decoder.forward([{ past_key_values, input_ids: [5, 6] }]);
  return past_key_values;
}

function distance(a: Float32Array | undefined, b: Float32Array | undefined): number {
  if (a?.length !== b?.length || a === undefined) return Infinity;
  return Math.max(...a.map((value, i) => Math.abs(value - (b?.[i] ?? NaN))));
}
