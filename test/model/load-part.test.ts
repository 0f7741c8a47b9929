import { expect, it } from 'vitest';
import { openBundle } from '../../src/bundle/bundle.ts';
import type { ShardSource } from '../../src/bundle/source.ts';
import { fileSource } from '../../src/bundle/sources/file.ts';
import { createEngine } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { createVisionLanguageModel } from '../../src/model/create-model.ts';
import { loadPart } from '../../src/model/load-part.ts';
import { SHARDS } from './default-model.ts';

it('gives memory back where a shard does not come, and loads when it does', async () => {
  const disk = fileSource('model-shards');
  let broken = true;
  const source: ShardSource = {
    fetch: (path, signal) =>
      broken && path.endsWith(SHARDS.classifier) ? Promise.resolve(undefined) : disk.fetch(path, signal),
  };
  const bundle = await openBundle(source, 'glimpse-10m', {
    retries: { retries: 0, backoff: 1, attempt: 10_000, total: 10_000 },
  });
  const engine = createEngine(nodeKernelModules, 2 ** 26);
  const load = () =>
    loadPart(engine, bundle, ['vision_tower'], async (weights) => [
      await weights.linear('vision_tower.head', 320, 1280),
      await weights.linear('vision_tower.classifier', 1280, 1000),
    ]);
  const before = engine.memory.used;
  await expect(load()).rejects.toMatchObject({ code: 'shard_unavailable' });
  expect(engine.memory.used).toBe(before);
  broken = false;
  expect(await load()).toHaveLength(2);
});

it('a decoder takes no more memory than its weights, its activations and the largest piece of a layer', async () => {
  const bundle = await openBundle(fileSource('model-shards'), 'glimpse-10m');
  const engine = createEngine(nodeKernelModules, 2 ** 26);
  await (await createVisionLanguageModel(engine, bundle)).decoder();
  expect(engine.memory.size - engine.memory.used).toBeLessThan(2 ** 20);
});
