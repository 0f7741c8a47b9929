import { z } from 'zod';
import type { Bundle } from '../../../src/bundle/bundle.ts';
import type { Engine } from '../../../src/kernels/engine.ts';
import { createModel } from '../../../src/model/create-model.ts';
import type { Decoder, PixelValues } from '../../../src/model/types.ts';

/** Tokens behind the image. */
const TOKENS = 16;

/** The same for every run of a model: a picture of waves, then tokens from all over the vocabulary. @returns logits of each */
export async function runSample(engine: Engine, bundle: Bundle): Promise<readonly Float32Array[]> {
  const model = await createModel(engine, bundle);
  const { data } = await (await model.encoder()).encode(waves(await bundle.json('config.json')));
  return decode(await model.decoder(), data, model.vocab_size);
}

const configSchema = z.object({
  vision_config: z.object({
    image_size: z.number().default(224),
    num_channels: z.number().default(3),
  }),
});

function waves(config: unknown): PixelValues {
  const { image_size: size, num_channels } = configSchema.parse(config).vision_config;
  const pixel = (i: number): number => {
    const [x, y, channel] = [i % size, Math.floor(i / size) % size, Math.floor(i / size ** 2)];
    return Math.sin(x / (5 + channel)) * Math.cos(y / (7 + 2 * channel));
  };
  return {
    shape: [1, num_channels, size, size],
    grid: [0, 0],
    read: () => Float32Array.from({ length: num_channels * size ** 2 }, (_, i) => pixel(i)),
  };
}

async function decode(
  decoder: Decoder,
  image: Float32Array,
  vocabulary: number,
): Promise<readonly Float32Array[]> {
  const past_key_values = decoder.create(0);
  const logits = [...(await decoder.forward([{ past_key_values, inputs_embeds: image }]))];
  for (let i = 0; i < TOKENS; i++) {
    const input_ids = [Math.floor(((i + 0.5) / TOKENS) * vocabulary)];
    logits.push(...(await decoder.forward([{ past_key_values, input_ids }])));
  }
  past_key_values.release();
  return logits;
}
