import { z } from 'zod';
import type { Bundle } from '../../../src/bundle/bundle.ts';
import type { Engine } from '../../../src/kernels/engine.ts';
import { createModel } from '../../../src/model/create-model.ts';
import type { Decoder, DualEncoder, PixelValues } from '../../../src/model/types.ts';

/** What a model makes of the sample, by transformers' names. */
export type SampleOutputs = Readonly<Record<string, readonly Float32Array[]>>;

/** Tokens behind the image; texts beside it. */
const TOKENS = 16;

/** What of config.json the sample depends on. transformers' defaults: those of CLIP, whose towers may go without. */
const configSchema = z.object({
  vision_config: z
    .object({ image_size: z.number().default(224), num_channels: z.number().default(3) })
    .prefault({}),
  text_config: z
    .object({ vocab_size: z.number().default(32_000), eos_token_id: z.number().nullable().default(49_407) })
    .prefault({}),
});
type SampleConfig = z.infer<typeof configSchema>;

/** The same for every run of a model: an image, or else a picture of waves, and tokens from all over the vocabulary. */
export async function runSample(
  engine: Engine,
  bundle: Bundle,
  pixel_values?: PixelValues,
): Promise<SampleOutputs> {
  const model = await createModel(engine, bundle);
  const config = configSchema.parse(await bundle.json('config.json'));
  const image = await (await model.encoder()).encode(pixel_values ?? waves(config));
  if ('decoder' in model) return { logits: await decode(await model.decoder(), image.data) };
  return { image_embeds: [image.data], ...(await embedTexts(model, image.data, config)) };
}

function waves({ vision_config: { image_size: size, num_channels } }: SampleConfig): PixelValues {
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

/** The logits behind the image and behind each token. */
async function decode(decoder: Decoder, image: Float32Array): Promise<readonly Float32Array[]> {
  const past_key_values = decoder.create(0);
  const logits = [...(await decoder.forward([{ past_key_values, inputs_embeds: image }]))];
  for (const id of spread(decoder.vocab_size)) {
    logits.push(...(await decoder.forward([{ past_key_values, input_ids: [id] }])));
  }
  past_key_values.release();
  return logits;
}

/** Texts of three tokens, and CLIP's end, which it pools: SigLIP pools what stands last. */
async function embedTexts(
  model: DualEncoder,
  image: Float32Array,
  { text_config: { vocab_size, eos_token_id } }: SampleConfig,
): Promise<SampleOutputs> {
  const embedder = await model.text_embedder();
  const ids = spread(vocab_size);
  const end = model.padding === 'do_not_pad' ? [eos_token_id ?? vocab_size - 1] : [];
  const text_embeds = ids.map((id, i) =>
    embedder.embed([id, ids[(i + 3) % TOKENS] ?? 0, ids[(i + 7) % TOKENS] ?? 0, ...end]),
  );
  return { text_embeds, logits: [embedder.logits(image, text_embeds)] };
}

function spread(vocabulary: number): readonly number[] {
  return Array.from({ length: TOKENS }, (_, i) => Math.floor(((i + 0.5) / TOKENS) * vocabulary));
}
