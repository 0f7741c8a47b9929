import { describe, expect, it } from 'vitest';
import { openBundle } from '../../src/bundle/bundle.ts';
import { fileSource } from '../../src/bundle/sources/file.ts';
import { createEngine } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { createVisionLanguageModel } from '../../src/model/create-model.ts';
import type { ImageEmbeds, VisionLanguageModel } from '../../src/model/types.ts';
import { withFloatActivations } from '../reference/float-matmul.ts';
import { cosine, divergence, greedy, readGoldens, relativeError } from './goldens.ts';

const goldens = readGoldens('test/fixtures/model');
const images = Array.from({ length: goldens.images }, (_, image) => image);
const bundle = await openBundle(fileSource('model-shards'), 'glimpse-10m');

async function encodeAll(model: VisionLanguageModel): Promise<ImageEmbeds[]> {
  const encoder = await model.encoder();
  return Promise.all(images.map((image) => encoder.encode(goldens.pixel_values(image))));
}

function embedsOf(embeds: readonly ImageEmbeds[], image: number): ImageEmbeds {
  const found = embeds[image];
  if (found === undefined) throw new Error(`no embeddings of image ${image}`);
  return found;
}

describe.each(['relaxed', 'simd'] as const)('the %s build against PyTorch', (build) => {
  it('gives its embeddings, its logits and its answers', async () => {
    const model = await createVisionLanguageModel(createEngine(nodeKernelModules, 2 ** 28, [build]), bundle);
    const embeds = await encodeAll(model);
    for (const image of images) {
      const { data } = embedsOf(embeds, image);
      expect(cosine(data, goldens.tensor(`${image}.image_embeds`))).toBeGreaterThan(0.995);
    }
    const decoder = await model.decoder();
    for (const [i, golden] of goldens.cases.entries()) {
      const { ids, first_logits } = await greedy(decoder, embedsOf(embeds, golden.image), golden);
      expect(cosine(first_logits, goldens.tensor(`${i}.first_logits`))).toBeGreaterThan(0.995);
      const unsure = golden.margins.findIndex((margin) => margin < 0.3);
      const parted = divergence(ids, golden) ?? Infinity;
      expect(parted, golden.prompt).toBeGreaterThanOrEqual(unsure < 0 ? Infinity : unsure);
    }
  });
});

it('is PyTorch to 1e-3 where activations are not rounded', async () => {
  const engine = withFloatActivations(createEngine(nodeKernelModules, 2 ** 28));
  const model = await createVisionLanguageModel(engine, bundle);
  const embeds = await encodeAll(model);
  for (const image of images) {
    const { data } = embedsOf(embeds, image);
    expect(relativeError(data, goldens.tensor(`${image}.image_embeds`))).toBeLessThan(1e-3);
  }
  const decoder = await model.decoder();
  for (const [i, golden] of goldens.cases.entries()) {
    const { ids, first_logits } = await greedy(decoder, embedsOf(embeds, golden.image), golden);
    expect(relativeError(first_logits, goldens.tensor(`${i}.first_logits`))).toBeLessThan(1e-3);
    expect(divergence(ids, golden), golden.prompt).toBeUndefined();
  }
});
