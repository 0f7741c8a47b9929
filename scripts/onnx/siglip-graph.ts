import type { Tensor } from '../../src/bundle/safetensors.ts';
import type { Idefics3Config } from '../../src/model/idefics3.ts';
import { patchesPerSide } from '../../src/model/vision/transformer-config.ts';
import { createGraph } from './graph-builder.ts';
import { asFloats, dequantised, tensorOf, transposed } from './weights.ts';

/**
 * Idefics3's and SmolVLM's vision encoder and connector as vision_encoder.onnx in float32, from the bundle's
 * weights dequantised: pixel_values [batch, images, channels, size, size] to image_features [batch * images,
 * tokens, hidden]. Attention is ONNX Runtime's own operator, the fastest that it has.
 * @param tensors the bundle's `vision_tower` and `connector`
 */
export function siglipVision(tensors: ReadonlyMap<string, Tensor>, config: Idefics3Config): Uint8Array {
  const { vision_config: vision, text_config, scale_factor: scale } = config;
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads } = vision;
  const { num_channels: channels, image_size: size, patch_size: patch, hidden_act } = vision;
  const side = patchesPerSide(vision);
  const squares = side / scale;
  const graph = createGraph();

  const ints = (...values: readonly number[]) =>
    graph.constant(BigInt64Array.from(values, BigInt), [values.length]);
  const vector = (name: string) => {
    const values = asFloats(tensorOf(tensors, name));
    return graph.constant(values, [values.length]);
  };
  const product = (x: string, name: string, n: number, k: number) =>
    graph.node('MatMul', [
      x,
      graph.constant(transposed(dequantised(tensors, `${name}.weight`), n, k), [k, n]),
    ]);
  const linear = (x: string, name: string, n: number, k: number) =>
    graph.node('Add', [product(x, name, n, k), vector(`${name}.bias`)]);
  const norm = (x: string, name: string) =>
    graph.node('LayerNormalization', [x, vector(`${name}.weight`), vector(`${name}.bias`)], {
      epsilon: { f: vision.layer_norm_eps },
    });
  const reshape = (x: string, ...dims: readonly number[]) => graph.node('Reshape', [x, ints(...dims)]);

  function activation(x: string): string {
    if (hidden_act !== 'quick_gelu') {
      return graph.node('Gelu', [x], { approximate: { s: hidden_act === 'gelu' ? 'none' : 'tanh' } });
    }
    const slope = graph.constant(Float32Array.of(1.702), []);
    return graph.node('Mul', [x, graph.node('Sigmoid', [graph.node('Mul', [x, slope])])]);
  }

  const pixels = graph.input('pixel_values', ['batch_size', 'num_images', channels, size, size]);
  const embedding = 'vision_tower.embeddings';
  const kernel = dequantised(tensors, `${embedding}.patch_embedding.weight`);
  const patches = graph.node(
    'Conv',
    [
      reshape(pixels, -1, channels, size, size),
      graph.constant(kernel, [hidden, channels, patch, patch]),
      vector(`${embedding}.patch_embedding.bias`),
    ],
    { kernel_shape: { ints: [patch, patch] }, strides: { ints: [patch, patch] } },
  );
  const rows = graph.node('Transpose', [reshape(patches, 0, hidden, side ** 2)], {
    perm: { ints: [0, 2, 1] },
  });
  const positions = asFloats(tensorOf(tensors, `${embedding}.position_embedding.weight`));
  let x = graph.node('Add', [rows, graph.constant(positions, [side ** 2, hidden])]);

  for (let layer = 0; layer < vision.num_hidden_layers; layer++) {
    const name = `vision_tower.encoder.layers.${layer}`;
    const normed = norm(x, `${name}.layer_norm1`);
    const qkv = ['q', 'k', 'v'].map((part) =>
      linear(normed, `${name}.self_attn.${part}_proj`, hidden, hidden),
    );
    const attended = graph.node('MultiHeadAttention', qkv, { num_heads: { i: heads } }, 'com.microsoft');
    x = graph.node('Add', [x, linear(attended, `${name}.self_attn.out_proj`, hidden, hidden)]);
    const wide = linear(norm(x, `${name}.layer_norm2`), `${name}.mlp.fc1`, inner, hidden);
    x = graph.node('Add', [x, linear(activation(wide), `${name}.mlp.fc2`, hidden, inner)]);
  }

  const features = reshape(
    norm(x, 'vision_tower.post_layernorm'),
    -1,
    squares,
    scale,
    squares,
    scale,
    hidden,
  );
  const shuffled = graph.node('Transpose', [features], { perm: { ints: [0, 1, 3, 2, 4, 5] } });
  const width = scale ** 2 * hidden;
  const projection = 'connector.modality_projection.proj';
  return graph.encode({
    image_features: product(
      reshape(shuffled, -1, squares ** 2, width),
      projection,
      text_config.hidden_size,
      width,
    ),
  });
}
