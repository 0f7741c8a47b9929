import type { Contestant, RaceOptions, Spread } from './harness.ts';
import { best, race, ratio, spread } from './harness.ts';
import { openSession, tensor } from './onnx.ts';
import type { Product } from './products.ts';
import {
  cosine,
  engineOf,
  gaussian,
  ORT_KINDS,
  packLayers,
  productsModel,
  randomWeights,
  uniform,
} from './products.ts';

/** The decoder's products, and the shape of design tables elsewhere. Enough layers for some 5 to 25 million weights. */
const SHAPES: readonly (Product & { readonly what: string })[] = [
  { what: 'q, k, v', k: 256, n: 768, count: 24 },
  { what: 'o', k: 256, n: 256, count: 72 },
  { what: 'gate, up', k: 256, n: 1408, count: 12 },
  { what: 'down', k: 704, n: 256, count: 24 },
  { what: 'lm head', k: 256, n: 4096, count: 5 },
  { what: 'square', k: 1024, n: 1024, count: 24 },
];
const ROWS = [1, 16, 64] as const;

export interface KernelResult extends Product {
  readonly what: string;
  readonly rows: number;
  /** Milliseconds for all `count` products by contestant. */
  readonly ms: Readonly<Record<string, Spread>>;
  /** Times as long as our relaxed build takes. MatMulNBits: the better of its accuracy levels. */
  readonly ratios: Readonly<Record<'fp32' | 'int8' | 'q4' | 'simd', Spread>>;
  /** ... as our plain build takes. */
  readonly simd_ratios: Readonly<Record<'fp32' | 'int8' | 'q4', Spread>>;
  readonly relaxed_gflops: number;
}

export interface KernelOptions extends RaceOptions {
  readonly shapes: number;
}

/** Our 4-bit product in both builds against onnxruntime-web's products, quantisation of activations included. */
export async function benchKernels(options: KernelOptions): Promise<readonly KernelResult[]> {
  const results: KernelResult[] = [];
  for (const shape of SHAPES.slice(-options.shapes)) {
    for (const rows of ROWS) results.push(await benchShape(shape, rows, options));
  }
  return results;
}

async function benchShape(
  shape: (typeof SHAPES)[number],
  rows: number,
  options: RaceOptions,
): Promise<KernelResult> {
  const { k, n, count } = shape;
  const weights = randomWeights(shape);
  const x = gaussian(rows * k, uniform(rows));

  const ours = (['relaxed', 'simd'] as const).map((build) => {
    const engine = engineOf(build);
    const layers = packLayers(engine, weights, count);
    const [px, py] = [engine.memory.put(x), engine.memory.alloc(4 * rows * n)];
    const run = () => layers.forEach((layer) => engine.matmul(layer, px, py, rows));
    return { name: build, run, output: () => engine.memory.f32(py, rows * n) };
  });
  const theirs = await Promise.all(
    ORT_KINDS.map(async (kind) => {
      const session = await openSession(productsModel(weights, count, kind));
      const feeds = { x: tensor(x, [rows, k]) };
      return { name: kind, session, feeds };
    }),
  );
  ours[0]?.run();
  const expected = ours[0]?.output().slice() ?? new Float32Array();
  for (const { name, session, feeds } of theirs) {
    const [y] = Object.values(await session.run(feeds));
    const similarity = cosine(y?.data as Float32Array, expected);
    if (!(similarity > 0.99)) throw new Error(`${name} computes something else: cosine ${similarity}`);
  }

  const rivals = theirs.map(({ name, session, feeds }): Contestant => {
    return { name, run: () => session.run(feeds) };
  });
  const times = await race([...ours, ...rivals], options);
  for (const { session } of theirs) await session.release();

  const nbits = best(times, ['q4', 'q4 accuracy 4']);
  const against = (own: readonly number[] | undefined) => ({
    fp32: ratio(times.fp32, own),
    int8: ratio(times.int8, own),
    q4: ratio(nbits, own),
  });
  const ms = Object.fromEntries(Object.entries(times).map(([name, values]) => [name, spread(values)]));
  return {
    ...{ what: shape.what, k, n, count, rows, ms },
    ratios: { ...against(times.relaxed), simd: ratio(times.simd, times.relaxed) },
    simd_ratios: against(times.simd),
    relaxed_gflops: (2 * rows * k * n * count) / 1e6 / (ms.relaxed?.median ?? NaN),
  };
}
