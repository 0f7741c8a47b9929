import type { Bundle } from '../../src/bundle/bundle.ts';
import type { GlimpseConfig } from '../../src/model/config.ts';
import { EMBED_TOKENS } from '../../src/model/token-embedding.ts';
import { blockShapes, same, type Geometry } from '../../src/model/vision/config.ts';
import { createGraph } from './graph-builder.ts';
import { labelEmbeds } from './label-graph.ts';
import { asFloats, collectTensors, dequantised, tensorOf, transposed } from './weights.ts';

/**
 * The default bundle's vision encoder and projector as an ONNX graph in float32, from the same weights
 * dequantised: pixel_values [1, channels, size, size] to image_features [1, tokens, hidden].
 */
export async function visionModel(bundle: Bundle, config: GlimpseConfig): Promise<Uint8Array> {
  const tensors = await collectTensors(
    bundle.tensors(['vision_tower', 'multi_modal_projector', EMBED_TOKENS]),
  );
  const graph = createGraph();
  const { vision_config: vision, projector_config: projector } = config;

  const floats = (name: string): Float32Array => asFloats(tensorOf(tensors, name));
  const scalar = (value: number) => graph.constant(Float32Array.of(value), []);
  const ints = (...values: readonly number[]) =>
    graph.constant(BigInt64Array.from(values, BigInt), [values.length]);

  function conv(x: string, name: string, dims: readonly number[], geometry: Geometry, group = 1): string {
    const { kernel, stride, size, out, pad } = geometry;
    const behind = Math.max(0, (out - 1) * stride + kernel - size) - pad;
    const [w, b] = [dequantised(tensors, `${name}.weight`), floats(`${name}.bias`)];
    return graph.node('Conv', [x, graph.constant(w, dims), graph.constant(b, [b.length])], {
      kernel_shape: { ints: [kernel, kernel] },
      strides: { ints: [stride, stride] },
      pads: { ints: [pad, pad, behind, behind] },
      group: { i: group },
    });
  }
  const relu6 = (x: string) => graph.node('Clip', [x, scalar(0), scalar(6)]);
  const pointwise = (x: string, name: string, output: number, input: number, size: number) =>
    conv(x, name, [output, input, 1, 1], same(size, 1, 1));

  const stem = same(vision.image_size, 3, 2);
  const channels = vision.num_channels;
  let x = graph.input('pixel_values', [1, channels, vision.image_size, vision.image_size]);
  x = relu6(conv(x, 'vision_tower.stem', [vision.stem_width, channels, 3, 3], stem));
  let [width, size] = [vision.stem_width, stem.out];
  for (const shape of blockShapes(vision)) {
    const name = `vision_tower.${shape.name}`;
    const { kernel, out } = shape.geometry;
    let y = x;
    if (shape.expand) y = relu6(pointwise(y, `${name}.expand`, shape.hidden, shape.input, size));
    y = relu6(conv(y, `${name}.dw`, [shape.hidden, 1, kernel, kernel], shape.geometry, shape.hidden));
    y = pointwise(y, `${name}.project`, shape.width, shape.hidden, out);
    x = shape.skip ? graph.node('Add', [x, y]) : y;
    [width, size] = [shape.width, out];
  }
  x = relu6(pointwise(x, 'vision_tower.head', vision.head_width, width, size));

  const flat = graph.node('Reshape', [x, ints(vision.head_width, size * size)]);
  const patches = graph.node('Transpose', [flat], { perm: { ints: [1, 0] } }); // [49, 1280]
  const mean = graph.node('ReduceMean', [patches, ints(0)], { keepdims: { i: 1 } });
  const tokens = graph.node('Concat', [mean, patches], { axis: { i: 0 } });
  const squares = graph.node('ReduceMean', [graph.node('Mul', [tokens, tokens]), ints(1)], {
    keepdims: { i: 1 },
  });
  const rms = graph.node('Sqrt', [graph.node('Add', [squares, scalar(projector.rms_norm_eps)])]);
  const norm = graph.constant(floats('multi_modal_projector.norm.weight'), [projector.input_size]);
  const normed = graph.node('Mul', [graph.node('Div', [tokens, rms]), norm]);
  const linear = (x: string, name: string, output: number, input: number) => {
    const w = dequantised(tensors, `multi_modal_projector.${name}.weight`);
    return graph.node('MatMul', [x, graph.constant(transposed(w, output, input), [input, output])]);
  };
  const { input_size, hidden_size, output_size, num_image_tokens } = projector;
  const hidden = graph.node('Gelu', [linear(normed, 'linear_1', hidden_size, input_size)], {
    approximate: { s: 'tanh' },
  });
  const position = floats('multi_modal_projector.position_embedding.weight');
  const projected = graph.node('Add', [
    linear(hidden, 'linear_2', output_size, hidden_size),
    graph.constant(position, [num_image_tokens, output_size]),
  ]);
  const embeds = config.label_names_config
    ? graph.node('Concat', [projected, labelEmbeds(graph, tensors, config, mean)], { axis: { i: 0 } })
    : projected;
  return graph.encode({ image_features: graph.node('Unsqueeze', [embeds, ints(0)]) });
}
