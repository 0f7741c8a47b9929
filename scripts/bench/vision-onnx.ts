import type { Bundle } from '../../src/bundle/bundle.ts';
import type { Tensor } from '../../src/bundle/safetensors.ts';
import { halfToFloat } from '../../src/kernels/reference.ts';
import type { GlimpseConfig } from '../../src/model/config.ts';
import { blockShapes, same, type Geometry } from '../../src/model/vision/config.ts';
import { createGraph } from './onnx.ts';

/**
 * The default bundle's vision encoder and projector as an ONNX graph in float32, from the same weights
 * dequantised: pixel_values [1, channels, size, size] to image_embeds [tokens, hidden].
 */
export async function visionModel(bundle: Bundle, config: GlimpseConfig): Promise<Uint8Array> {
  const tensors = new Map<string, Tensor>();
  for await (const tensor of bundle.tensors(['vision_tower', 'multi_modal_projector'])) {
    tensors.set(tensor.name, { ...tensor, data: tensor.data.slice() });
  }
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
    const transposed = w.map((_, i) => w[(i % output) * input + Math.floor(i / output)] ?? 0);
    return graph.node('MatMul', [x, graph.constant(transposed, [input, output])]);
  };
  const { input_size, hidden_size, output_size, num_image_tokens } = projector;
  const hidden = graph.node('Gelu', [linear(normed, 'linear_1', hidden_size, input_size)], {
    approximate: { s: 'tanh' },
  });
  const position = floats('multi_modal_projector.position_embedding.weight');
  const embeds = graph.node('Add', [
    linear(hidden, 'linear_2', output_size, hidden_size),
    graph.constant(position, [num_image_tokens, output_size]),
  ]);
  return graph.encode([embeds]);
}

function tensorOf(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const found = tensors.get(name);
  if (found === undefined) throw new Error(`the bundle has no ${name}`);
  return found;
}

/** Copied: a tensor's bytes need not be aligned. */
function asFloats({ data }: Tensor): Float32Array {
  return new Float32Array(data.slice().buffer);
}

/** A quantised weight as numbers, row by row. // [n, k] */
function dequantised(tensors: ReadonlyMap<string, Tensor>, name: string): Float32Array {
  const q8 = tensors.get(`${name}.q8`);
  const scale = tensorOf(tensors, `${name}.scale`);
  if (q8 !== undefined) {
    const k = q8.data.length / (q8.shape[0] ?? 1);
    const scales = asFloats(scale);
    return Float32Array.from(q8.data, (v, i) => ((v << 24) >> 24) * (scales[Math.floor(i / k)] ?? 0));
  }
  const { data: q, shape } = tensorOf(tensors, `${name}.q4`);
  const [n = 0, half = 0] = shape;
  const blocks = Math.ceil((2 * half) / 32);
  const scales = Float32Array.from(new Uint16Array(scale.data.slice().buffer), halfToFloat);
  return Float32Array.from({ length: n * 2 * half }, (_, i) => {
    const [row, k] = [Math.floor(i / (2 * half)), i % (2 * half)];
    const nibble = ((q[row * half + (k >> 1)] ?? 0) >> (4 * (k & 1))) & 15;
    return (nibble - 8) * (scales[row * blocks + (k >> 5)] ?? 0);
  });
}
