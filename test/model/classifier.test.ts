import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { openBundle } from '../../src/bundle/bundle.ts';
import { fileSource } from '../../src/bundle/sources/file.ts';
import { createEngine } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { createVisionLanguageModel } from '../../src/model/create-model.ts';
import { withFloatActivations } from '../reference/float-matmul.ts';
import { SHARDS } from './default-model.ts';
import { cosine, readGoldens, relativeError } from './goldens.ts';

const goldens = readGoldens('test/fixtures/model');
const images = Array.from({ length: goldens.images }, (_, image) => image);
const SHARD = SHARDS.classifier;

const top = (logits: Float32Array): number => logits.indexOf(Math.max(...logits));

it.each(['relaxed', 'simd'] as const)(
  "gives PyTorch's classes with the %s build, its shard fetched once for the encoder and itself",
  async (build) => {
    const bundle = await openBundle(fileSource('model-shards'), 'glimpse-10m');
    const model = await createVisionLanguageModel(createEngine(nodeKernelModules, 2 ** 28, [build]), bundle);
    const classifier = await model.classifier?.();
    const encoder = await model.encoder(); // whose image_embeds end in what the classifier sees
    expect(bundle.fetched.get(SHARD)?.fetches).toBe(1);
    for (const image of images) {
      const { pooler_output } = await encoder.encode(goldens.pixel_values(image));
      const logits = classifier?.classify(pooler_output) ?? new Float32Array();
      const classes = goldens.tensor(`${image}.classes`);
      expect(cosine(logits, classes)).toBeGreaterThan(0.995);
      expect(top(logits)).toBe(top(classes));
    }
  },
);

it('is PyTorch to 1e-3 where activations are not rounded', async () => {
  const bundle = await openBundle(fileSource('model-shards'), 'glimpse-10m');
  const model = await createVisionLanguageModel(
    withFloatActivations(createEngine(nodeKernelModules, 2 ** 28)),
    bundle,
  );
  const [encoder, classifier] = await Promise.all([model.encoder(), model.classifier?.()]);
  for (const image of images) {
    const { pooler_output } = await encoder.encode(goldens.pixel_values(image));
    const logits = classifier?.classify(pooler_output) ?? new Float32Array();
    expect(relativeError(logits, goldens.tensor(`${image}.classes`))).toBeLessThan(1e-3);
  }
});

it('has the labels of config.json in the order of their ids', async () => {
  const bundle = await openBundle(fileSource('model-shards'), 'glimpse-10m');
  const model = await createVisionLanguageModel(createEngine(nodeKernelModules, 2 ** 28), bundle);
  const { id2label } = JSON.parse(await readFile('model-shards/glimpse-10m/config.json', 'utf8')) as {
    id2label: Record<number, string>;
  };
  const labels = (await model.classifier?.())?.labels;
  expect(labels).toHaveLength(1000);
  for (const id of [0, 9, 10, 207, 999]) expect(labels?.[id]).toBe(id2label[id]);
});
