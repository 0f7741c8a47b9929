import { expect, it } from 'vitest';
import { openBundle } from '../../../src/bundle/bundle.ts';
import { fileSource } from '../../../src/bundle/sources/file.ts';
import { createEngine } from '../../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../../src/kernels/modules-node.ts';
import { createModel } from '../../../src/model/create-model.ts';
import { run } from '../command.ts';
import { MODELS, scratch } from './fixtures.ts';

it.each([
  { name: 'clip', dim: 16 },
  { name: 'siglip', dim: 24 },
])('what is imported of $name embeds images and texts', async ({ name, dim }) => {
  const out = await scratch();
  expect(await run('import.ts', [`${MODELS}/${name}`, '--id', name, '--out', out])).toMatchObject({
    code: 0,
  });

  const bundle = await openBundle(fileSource(out), name);
  const model = await createModel(createEngine(nodeKernelModules, 2 ** 26), bundle);
  if (!('text_embedder' in model)) return expect.fail('no dual encoder');
  const encoder = await model.encoder();
  const embed = async (seed: number) => {
    const read = () => Float32Array.from({ length: 3 * 24 * 24 }, (_, i) => Math.sin(seed * i));
    return (await encoder.encode({ shape: [1, 3, 24, 24], grid: [0, 0], read })).data;
  };
  const embedder = await model.text_embedder();
  const vectors = [await embed(1), await embed(2), embedder.embed([5, 9, 47]), embedder.embed([5, 11, 47])];
  for (const vector of vectors) {
    expect(vector).toHaveLength(dim);
    expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  }
  expect(new Set(vectors.map((vector) => vector.join())).size).toBe(vectors.length);
});
