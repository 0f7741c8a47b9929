import { createEngine, type Engine, type KernelBuild, type Linear } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { halfToFloat, type Q4Weights } from '../../src/kernels/reference.ts';
import { createGraph, type Graph } from '../onnx/graph-builder.ts';
import { transposed } from '../onnx/weights.ts';

/** How onnxruntime-web may hold the weights of a product, and the operator that multiplies with them. */
export const ORT_KINDS = ['fp32', 'int8', 'q4', 'q4 accuracy 4'] as const;
export type OrtKind = (typeof ORT_KINDS)[number];

/** `count` products of one input with matrices [n, k]. */
export interface Product {
  readonly k: number;
  readonly n: number;
  readonly count: number;
}

/** Park and Miller's generator: the same numbers in every run. */
export function uniform(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

export function gaussian(length: number, random: () => number): Float32Array {
  return Float32Array.from({ length }, () => {
    return Math.sqrt(-2 * Math.log(random() || 1e-9)) * Math.cos(2 * Math.PI * random());
  });
}

/** Weights of which every form below is made: 4-bit values and float16 scales of about 0.005. */
export function randomWeights({ k, n }: Product): Q4Weights {
  const random = uniform(n * 8_191 + k);
  const values = gaussian(n * k, random).map((v) => Math.max(0, Math.min(15, Math.round(8 + 2.7 * v))));
  const q = Uint8Array.from(
    { length: (n * k) / 2 },
    (_, i) => (values[2 * i] ?? 0) | ((values[2 * i + 1] ?? 0) << 4),
  );
  return { n, k, q, scale: Uint16Array.from({ length: (n * k) / 32 }, () => 0x1d00 + random() * 256) };
}

/** The weights as numbers. // [n, k] */
function dequantise({ n, k, q, scale }: Q4Weights): Float32Array {
  const halves = Float32Array.from(scale, halfToFloat);
  return Float32Array.from({ length: n * k }, (_, i) => {
    return ((((q[i >> 1] ?? 0) >> (4 * (i & 1))) & 15) - 8) * (halves[i >> 5] ?? 0);
  });
}

/** Copies of a matrix in our kernels' memory, each at an address of its own, as a model's layers are. */
export function packLayers(
  { memory, kernels }: Engine,
  weights: Q4Weights,
  count: number,
): readonly Linear[] {
  const { n, k } = weights;
  const [q, scale] = [memory.put(weights.q), memory.put(new Uint8Array(weights.scale.buffer))];
  const layers = Array.from({ length: count }, (): Linear => {
    const weight = memory.alloc((n / 8) * (k / 32) * 144);
    kernels.pack_q4(q, scale, weight, n, k);
    return { bits: 4, in_features: k, out_features: n, weight, bias: 0 };
  });
  memory.free(q);
  memory.free(scale);
  return layers;
}

export function engineOf(build: KernelBuild): Engine {
  return createEngine(nodeKernelModules, 2 ** 28, [build]);
}

/**
 * `count` products of `x` side by side and their sum: one session run does as much as a model's layers,
 * so that what a run costs by itself weighs nothing.
 */
export function productsNode(
  graph: Graph,
  x: string,
  weights: Q4Weights,
  count: number,
  kind: OrtKind,
): string {
  const { n, k } = weights;
  const w = kind.startsWith('q4') ? undefined : transposed(dequantise(weights), n, k);
  const outputs = Array.from({ length: count }, () => {
    if (w === undefined) {
      const q = graph.constant(weights.q, [n, k / 32, 16]);
      const scale = graph.constant(Float32Array.from(weights.scale, halfToFloat), [(n * k) / 32]);
      const accuracy = kind === 'q4 accuracy 4' ? 4 : 0;
      const sizes = { K: { i: k }, N: { i: n }, bits: { i: 4 }, block_size: { i: 32 } };
      return graph.node(
        ...([
          'MatMulNBits',
          [x, q, scale],
          { ...sizes, accuracy_level: { i: accuracy } },
          'com.microsoft',
        ] as const),
      );
    }
    if (kind === 'fp32') return graph.node('MatMul', [x, graph.constant(w, [k, n])]);
    const { q, scale } = quantiseColumns(w, k, n);
    const constants = [graph.constant(q, [k, n]), graph.constant(scale, [n])];
    return graph.node('DynamicQuantizeMatMul', [x, ...constants], {}, 'com.microsoft');
  });
  return outputs.length === 1 ? (outputs[0] ?? '') : graph.node('Sum', outputs);
}

export function productsModel(weights: Q4Weights, count: number, kind: OrtKind): Uint8Array {
  const graph = createGraph();
  const x = graph.input('x', ['rows', weights.k]);
  return graph.encode({ y: productsNode(graph, x, weights, count, kind) });
}

/** Signed 8 bits, one scale a column. */
function quantiseColumns(
  w: Float32Array,
  k: number,
  n: number,
): { readonly q: Int8Array; readonly scale: Float32Array } {
  const scale = new Float32Array(n);
  w.forEach((v, i) => (scale[i % n] = Math.max(scale[i % n] ?? 0, Math.abs(v) / 127)));
  const q = Int8Array.from({ length: k * n }, (_, i) => Math.round((w[i] ?? 0) / (scale[i % n] ?? 1)));
  return { q, scale };
}

export function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, v, i) => sum + v * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
