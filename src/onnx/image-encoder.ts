import { GlimpseError } from '../errors.ts';
import type { ImageEncoder, PixelValues } from '../model/types.ts';
import type { Feeds, Graph, Runtime } from './runtime.ts';
import { booleans, floats, rowsOf } from './tensors.ts';

const NO_FEATURES = new Float32Array(0); // a graph tells nothing but its embeddings, and no classifier reads them

/**
 * The graph that makes embeddings of pixel_values.
 * @param output their name: [batch, tokens, hidden]
 */
export function createImageEncoder(runtime: Runtime, graph: Graph, output: string): ImageEncoder {
  const rank = graph.inputs.get('pixel_values')?.shape.length;
  const unknown = [...graph.inputs.keys()].filter((name) => !INPUTS.includes(name));
  if (rank === undefined || unknown.length > 0) {
    const why = rank === undefined ? 'no pixel_values' : `inputs that are not known: ${unknown.join(', ')}`;
    throw new GlimpseError('bundle_invalid', `The vision encoder has ${why}. Export the model otherwise.`);
  }

  function feeds({ data, shape }: PixelValues): Feeds {
    const [batch, , height, width] = shape;
    const pixel_values = new runtime.Tensor('float32', data, rank === 5 ? [1, ...shape] : shape);
    if (!graph.inputs.has('pixel_attention_mask')) return { pixel_values };
    // Every tile is full: only batches of several images are padded.
    return { pixel_values, pixel_attention_mask: booleans(runtime, true, [1, batch, height, width]) };
  }

  return {
    async encode(pixel_values, signal) {
      signal?.throwIfAborted(); // a run cannot be stopped
      const outputs = await graph.run(feeds(pixel_values));
      const data = floats(outputs, output);
      return { data, shape: rowsOf(outputs[output] ?? { dims: [] }), pooler_output: NO_FEATURES };
    },
  };
}

/** Idefics3 has images in a dimension of their own, [batch, images, channels, height, width], and their mask. */
const INPUTS = ['pixel_values', 'pixel_attention_mask'];
