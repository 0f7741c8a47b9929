import { GlimpseError } from '../errors.ts';
import type { ImageEncoder, PixelValues } from '../model/types.ts';
import type { Feeds, Graph, Runtime } from './runtime.ts';
import { booleans, floats, concatenated } from './tensors.ts';

/** Idefics3 has a dimension of its own for images, [batch, images, channels, height, width], and a mask of them. */
const INPUTS = ['pixel_values', 'pixel_attention_mask'];
const NO_FEATURES = new Float32Array(0); // the graph gives embeddings alone, and no classifier reads them

/**
 * The graph that makes embeddings of pixel_values.
 * @param output their name: [batch, tokens, hidden]
 * @throws GlimpseError bundle_invalid for a graph with an input that nothing here gives
 */
export function createImageEncoder(runtime: Runtime, graph: Graph, output: string): ImageEncoder {
  const unknown = [...graph.inputs.keys()].filter((name) => !INPUTS.includes(name));
  const rank = graph.inputs.get('pixel_values')?.shape.length ?? 0;
  if (rank < 4 || unknown.length > 0) {
    const why = rank < 4 ? 'no pixel_values' : `inputs that are not known: ${unknown.join(', ')}`;
    throw new GlimpseError('bundle_invalid', `The vision encoder has ${why}. Export the model otherwise.`);
  }

  function feeds(pixels: PixelValues, index: number): Feeds {
    const [, ...image] = pixels.shape;
    const ones = Array.from({ length: rank - image.length }, () => 1);
    const pixel_values = new runtime.Tensor('float32', pixels.read(index), [...ones, ...image]);
    if (!graph.inputs.has('pixel_attention_mask')) return { pixel_values };
    // No tile has a border: only images of different sizes in one batch are padded.
    return { pixel_values, pixel_attention_mask: booleans(runtime, true, [...ones, ...image.slice(1)]) };
  }

  return {
    async encode(pixel_values, signal) {
      const { grid, shape } = pixel_values;
      const tiles: Float32Array[] = [];
      let hidden = 0;
      for (let index = 0; index < shape[0]; index++) {
        signal?.throwIfAborted();
        const outputs = await graph.run(feeds(pixel_values, index));
        tiles.push(floats(outputs, output));
        hidden = outputs[output]?.dims.at(-1) ?? 0;
      }
      const data = concatenated(tiles);
      return { data, shape: [data.length / hidden, hidden], grid, pooler_output: NO_FEATURES };
    },
  };
}
