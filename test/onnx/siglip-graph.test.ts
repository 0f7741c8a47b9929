import { expect, it } from 'vitest';
import { siglipVision } from '../../scripts/onnx/siglip-graph.ts';
import { collectTensors } from '../../scripts/onnx/weights.ts';
import { idefics3ConfigSchema } from '../../src/model/idefics3.ts';
import { createNodeRuntime } from '../../src/onnx/node.ts';
import { concatenated, floats } from '../../src/onnx/tensors.ts';
import { relativeError } from '../model/goldens.ts';
import { openCase, readCase } from '../model/vision-fixtures.ts';

it.each(['idefics3', 'smolvlm-tiles'])(
  '%s: the exported vision half is that of transformers',
  async (name) => {
    const bundle = await openCase(name);
    const config = idefics3ConfigSchema.parse(await bundle.json('config.json'));
    const tensors = await collectTensors(bundle.tensors(['vision_tower', 'connector']));
    const runtime = createNodeRuntime();
    const graph = await runtime.open(siglipVision(tensors, config), []);

    const goldens = readCase(name);
    const { pixel_values } = goldens;
    const [images, ...dims] = pixel_values.shape;
    const pixels = concatenated(Array.from({ length: images }, (_, image) => pixel_values.read(image)));
    const outputs = await graph.run({
      pixel_values: new runtime.Tensor('float32', pixels, [1, images, ...dims]),
    });
    expect(relativeError(floats(outputs, 'image_features'), goldens.floats('image_embeds'))).toBeLessThan(
      1e-3,
    );
  },
);
