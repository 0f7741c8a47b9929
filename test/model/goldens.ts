import { readFileSync } from 'node:fs';
import { readSafetensors } from '../../src/bundle/safetensors.ts';
import type { Decoder, ImageEmbeds, PixelValues } from '../../src/model/types.ts';

/** One question to the PyTorch reference: 4-bit weights dequantised, float32 activations. */
export interface GoldenCase {
  readonly image: number;
  readonly file: string;
  readonly prompt: string;
  readonly prompt_ids: readonly number[];
  readonly answer_ids: readonly number[];
  /** By step: how far the reference's best logit is above its second. */
  readonly margins: readonly number[];
  readonly answer: string;
}

export interface Goldens {
  readonly cases: readonly GoldenCase[];
  readonly images: number;
  /** @param name `<image>.image_embeds`, `<image>.classes` or `<case>.first_logits` */
  tensor(name: string): Float32Array;
  /** The reference's own resized pixels, as pixel_values. */
  pixel_values(image: number): PixelValues;
}

export function readGoldens(folder: string): Goldens {
  const bytes = new Uint8Array(readFileSync(`${folder}/goldens.safetensors`));
  const tensors = new Map([...readSafetensors(bytes, 'goldens.safetensors')].map((t) => [t.name, t.data]));
  const { cases } = JSON.parse(readFileSync(`${folder}/goldens.json`, 'utf8')) as { cases: GoldenCase[] };
  const raw = (name: string): Uint8Array => {
    const data = tensors.get(name);
    if (data === undefined) throw new Error(`the goldens have no ${name}`);
    return data;
  };
  return {
    cases,
    images: 1 + Math.max(...cases.map(({ image }) => image)),
    tensor: (name) => new Float32Array(raw(name).slice().buffer),
    pixel_values(image) {
      const pixels = raw(`${image}.pixels`); // [224, 224, 3]
      const area = 224 * 224;
      const data = new Float32Array(3 * area);
      pixels.forEach((v, i) => (data[(i % 3) * area + Math.floor(i / 3)] = (v - 127) / 128));
      return { shape: [1, 3, 224, 224], grid: [0, 0], read: () => data };
    },
  };
}

const USER = 1;
const END = 3;

/** The greedy answer and the first step's logits, by nothing but the decoder. */
export async function greedy(
  decoder: Decoder,
  { data }: ImageEmbeds,
  { prompt_ids }: GoldenCase,
): Promise<{ readonly ids: readonly number[]; readonly first_logits: Float32Array }> {
  const past_key_values = decoder.create(128);
  const step = async (input: { input_ids: readonly number[] } | { inputs_embeds: Float32Array }) =>
    (await decoder.forward([{ past_key_values, ...input }]))[0] ?? new Float32Array();
  await step({ input_ids: [USER] });
  await step({ inputs_embeds: data });
  const first_logits = await step({ input_ids: prompt_ids });
  const ids = [argmax(first_logits)];
  while (ids.at(-1) !== END && ids.length < 40) ids.push(argmax(await step({ input_ids: ids.slice(-1) })));
  past_key_values.release();
  return { ids, first_logits };
}

const argmax = (values: Float32Array): number =>
  values.reduce((best, v, i) => (v > (values[best] ?? 0) ? i : best), 0);

/** The step at which an answer leaves the reference's, or undefined where it never does. */
export function divergence(ids: readonly number[], { answer_ids }: GoldenCase): number | undefined {
  const step = answer_ids.findIndex((id, i) => ids[i] !== id);
  return step < 0 ? undefined : step;
}

export function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, v, i) => sum + v * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** |a - b| / |b| in the Euclidean norm. */
export function relativeError(a: Float32Array, b: Float32Array): number {
  const difference = a.reduce((sum, v, i) => sum + (v - (b[i] ?? 0)) ** 2, 0);
  return Math.sqrt(difference / b.reduce((sum, v) => sum + v * v, 0));
}
