import { describe, expect, it } from 'vitest';
import { createVisionLanguageModel } from '../../src/model/create-model.ts';
import type { Decoder, ImageEmbeds } from '../../src/model/types.ts';
import { relativeError } from './goldens.ts';
import { ENGINES, openCase, readCase, type VisionGoldens } from './vision-fixtures.ts';

const CASES = ['smolvlm-tiles', 'idefics3', 'llava-clip', 'llava-siglip', 'llava-layers'];

describe.each(CASES)('%s', async (name) => {
  const goldens = readCase(name);
  const bundle = await openCase(name);

  it.each(ENGINES)('is the model of transformers with $kind', async ({ create, bound, logits_bound }) => {
    const model = await createVisionLanguageModel(create(), bundle);
    const image_embeds = await (await model.encoder()).encode(goldens.pixel_values);
    expect(image_embeds.grid).toEqual(goldens.pixel_values.grid);
    expect(image_embeds.data.length).toBe(image_embeds.shape[0] * image_embeds.shape[1]);
    expect(relativeError(image_embeds.data, goldens.floats('image_embeds'))).toBeLessThan(bound);
    expect(relativeError(image_embeds.pooler_output, goldens.floats('pooler_output'))).toBeLessThan(bound);

    const { logits, ids } = await answer(
      await model.decoder(),
      model.image_token_id ?? -1,
      image_embeds,
      goldens,
    );
    expect(relativeError(logits, goldens.floats('logits'))).toBeLessThan(logits_bound);
    // Where the reference's two best logits are closer than the error, either may be chosen.
    const sure = goldens
      .floats('margins')
      .findIndex((margin) => margin < 4 * logits_bound * deviation(logits));
    const compared = sure < 0 ? ids.length : sure;
    expect(ids.slice(0, compared)).toEqual(goldens.ids('answer_ids').slice(0, compared));
  });
});

/** The logits that follow the prompt, an image's rows where its tokens stand, and the greedy continuation. */
async function answer(
  decoder: Decoder,
  image_token_id: number,
  { data, shape: [, width] }: ImageEmbeds,
  goldens: VisionGoldens,
): Promise<{ readonly logits: Float32Array; readonly ids: readonly number[] }> {
  const past_key_values = decoder.create(128);
  const forward = async (input: { input_ids: readonly number[] } | { inputs_embeds: Float32Array }) =>
    (await decoder.forward([{ past_key_values, ...input }]))[0] ?? expect.fail('no logits');
  let row = 0;
  let logits: Float32Array = new Float32Array();
  for (const id of goldens.ids('input_ids')) {
    logits = await (id === image_token_id
      ? forward({ inputs_embeds: data.slice(row * width, ++row * width) })
      : forward({ input_ids: [id] }));
  }
  expect(row * width).toBe(data.length);
  const first = logits;
  const ids: number[] = [];
  for (;;) {
    ids.push(logits.indexOf(Math.max(...logits)));
    if (ids.length === goldens.ids('answer_ids').length) break;
    logits = await forward({ input_ids: ids.slice(-1) });
  }
  past_key_values.release();
  return { logits: first, ids };
}

function deviation(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
}
