import { openBundle } from '../../../../src/bundle/bundle.ts';
import { fileSource } from '../../../../src/bundle/sources/file.ts';
import { createEngine } from '../../../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../../../src/kernels/modules-node.ts';
import { createVisionLanguageModel } from '../../../../src/model/create-model.ts';
import type { BenchedBundle } from '../../pipeline.ts';
import { continueGreedily, type DecoderRival } from './rival.ts';

/** Our decoder on Node. */
export async function openGlimpse({ bundles, id, kernel_bytes }: BenchedBundle): Promise<DecoderRival> {
  const bundle = await openBundle(fileSource(bundles), id);
  const model = await createVisionLanguageModel(createEngine(nodeKernelModules, kernel_bytes), bundle);
  const decoder = await model.decoder();

  async function onSequence<T>(
    positions: number,
    work: (step: (ids: readonly number[]) => Promise<Float32Array>) => Promise<T>,
  ): Promise<T> {
    const past_key_values = decoder.create(positions);
    try {
      return await work(async (input_ids) => {
        const [logits] = await decoder.forward([{ past_key_values, input_ids }]);
        return logits ?? new Float32Array();
      });
    } finally {
      past_key_values.release();
    }
  }
  return {
    continue: (ids, count) => onSequence(ids.length + count, (step) => continueGreedily(ids, count, step)),
    logits: (ids) => onSequence(ids.length, (step) => step(ids)),
    release: () => Promise.resolve(),
  };
}
