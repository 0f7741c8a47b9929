import { describe, expect, it } from 'vitest';
import { beamSearch } from '../../src/generation/beam-search.ts';
import {
  parseGenerationDefaults,
  resolveGenerationConfig,
  type GenerationConfig,
  type GenerationOptions,
} from '../../src/generation/config.ts';
import { generate } from '../../src/generation/generate.ts';
import type { PromptSequence } from '../../src/generation/sequence.ts';
import type { PixelValues, VisionLanguageModel } from '../../src/model/types.ts';
import { golden, MODELS, openModel, type Golden, type Model } from './fixtures.ts';

/** The image of make.py's `golden`. */
const image = (shape: PixelValues['shape']): PixelValues => ({
  shape,
  grid: [0, 0],
  read: () => Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(0.1 * i)),
});
const END: Readonly<Record<Model, number>> = {
  'tiny-llava': 3,
  'tiny-smolvlm': 3,
  'tiny-vit-gpt2': 0,
  'tiny-donut': 2,
  'tiny-trocr': 2,
};
const IMAGE = 4; // the image token of those that have one

describe.each(MODELS)('%s', async (name) => {
  const { model } = await openModel(name, 'build/onnx-goldens');
  const asked = golden(name);
  const { greedy, beams } = asked;
  const end = END[name];

  it('decodes greedily as PyTorch does', async () => {
    const prompt = await promptOf(model, asked);
    const ids: number[] = [];
    const options = config(name, { max_new_tokens: 12 });
    for await (const { id } of generate(await model.decoder(), prompt, options)) ids.push(id);
    expect(ids).toEqual(greedy.filter((id) => id !== end));
  });

  it('searches beams as PyTorch does, over forks that share what they have in common', async () => {
    const prompt = await promptOf(model, asked);
    const options = config(name, { max_new_tokens: 12, num_beams: 3 });
    const { ids } = await beamSearch(await model.decoder(), prompt, options);
    expect(ids).toEqual(beams.filter((id) => id !== end));
  });

  it('goes on from a fork as from the sequence itself', async () => {
    const decoder = await model.decoder();
    const { past_key_values, input_ids } = await promptOf(model, asked);
    await decoder.forward([{ past_key_values, input_ids }]);
    const forks = [past_key_values.fork(), past_key_values.fork()];
    const [a, b] = await decoder.forward(
      forks.map((fork, i) => ({ past_key_values: fork, input_ids: [7 + i] })),
    );
    const [again] = await decoder.forward([{ past_key_values, input_ids: [7] }]);
    expect(again).toEqual(a);
    expect(b).not.toEqual(a);
    expect(forks[0]?.length).toBe(past_key_values.length);
  });
});

/** MBART, which tiny-donut has of Donut, forces its answers' end. */
function config(name: Model, request: GenerationOptions): GenerationConfig {
  const defaults = parseGenerationDefaults({
    eos_token_id: END[name],
    forced_eos_token_id: name === 'tiny-donut' ? END[name] : null,
  });
  return resolveGenerationConfig(defaults, request);
}

/** The prompt's sequence, read up to its image, which stands where the image token does or before all. */
async function promptOf(
  model: VisionLanguageModel,
  { pixel_values, prompt_ids }: Golden,
): Promise<PromptSequence> {
  const [encoder, decoder] = [await model.encoder(), await model.decoder()];
  const past_key_values = decoder.create(64);
  const at = model.image_token_id === IMAGE ? prompt_ids.indexOf(IMAGE) : -1;
  if (at > 0) await decoder.forward([{ past_key_values, input_ids: prompt_ids.slice(0, at) }]);
  const { data: inputs_embeds } = await encoder.encode(image(pixel_values));
  await decoder.forward([{ past_key_values, inputs_embeds }]);
  return { past_key_values, prompt_ids, input_ids: prompt_ids.slice(at + 1) };
}
