import type { Bundle } from '../../src/bundle/bundle.ts';
import type { Engine, Linear } from '../../src/kernels/engine.ts';
import { glimpseConfigSchema } from '../../src/model/config.ts';
import { createModel } from '../../src/model/create-model.ts';
import type { PixelValues } from '../../src/model/types.ts';
import { race, ratio, spread, type RaceOptions, type Spread } from './harness.ts';
import { openSession, tensor } from './onnx.ts';
import { cosine, engineOf } from './products.ts';
import { visionModel } from '../onnx/vision-graph.ts';

export interface VisionResult {
  /** Milliseconds an image, encoder and projector. */
  readonly ms: Readonly<Record<string, Spread>>;
  /** Times as long as our relaxed build takes. */
  readonly ratios: { readonly fp32: Spread; readonly simd: Spread };
  readonly simd_ratio: Spread;
  /** Of our image_embeds and onnxruntime-web's. */
  readonly cosine: number;
  /** Median milliseconds an image by kind of work, relaxed build. */
  readonly stages: Readonly<Record<string, number>>;
}

/** Our vision encoder and projector against the same network as a float32 graph in onnxruntime-web. */
export async function benchVision(
  bundle: Bundle,
  pixel_values: PixelValues,
  options: RaceOptions,
): Promise<VisionResult> {
  const config = glimpseConfigSchema.parse(await bundle.json('config.json'));
  const encoderOf = async (engine: Engine) => (await createModel(engine, bundle)).encoder();
  const [relaxed, simd] = [await encoderOf(engineOf('relaxed')), await encoderOf(engineOf('simd'))];
  const session = await openSession(await visionModel(bundle, config));
  const feeds = { pixel_values: tensor(pixel_values.read(0), pixel_values.shape) };

  const [theirs] = Object.values(await session.run(feeds));
  const { data: ours } = await relaxed.encode(pixel_values);
  const similarity = cosine(ours, theirs?.data as Float32Array);
  if (!(similarity > 0.99)) throw new Error(`the ONNX graph computes something else: cosine ${similarity}`);

  const times = await race(
    [
      { name: 'relaxed', run: () => relaxed.encode(pixel_values) },
      { name: 'simd', run: () => simd.encode(pixel_values) },
      { name: 'fp32', run: () => session.run(feeds) },
    ],
    options,
  );
  await session.release();
  return {
    ms: Object.fromEntries(Object.entries(times).map(([name, values]) => [name, spread(values)])),
    ratios: { fp32: ratio(times.fp32, times.relaxed), simd: ratio(times.simd, times.relaxed) },
    simd_ratio: ratio(times.fp32, times.simd),
    cosine: similarity,
    stages: await profile(bundle, pixel_values, options.rounds),
  };
}

/** Where an image's time goes: the same encoder over an engine that looks at the clock around each kernel. */
async function profile(
  bundle: Bundle,
  pixel_values: PixelValues,
  rounds: number,
): Promise<Record<string, number>> {
  const engine = engineOf('relaxed');
  let spent: Record<string, number> = {};
  const timed = (stage: string, work: () => void): void => {
    const start = performance.now();
    work();
    spent[stage] = (spent[stage] ?? 0) + performance.now() - start;
  };
  const { kernels } = engine;
  const isProjector = ({ bits, bias }: Linear) => bits === 4 && bias === 0;
  const encoder = await (
    await createModel(
      {
        ...engine,
        kernels: {
          ...kernels,
          stem_relu6: (...args) => timed('stem', () => kernels.stem_relu6(...args)),
          depthwise_relu6: (...args) =>
            timed(`depthwise ${args[8]}x${args[8]}`, () => kernels.depthwise_relu6(...args)),
        },
        matmul: (linear, ...args) =>
          timed(isProjector(linear) ? 'projector' : `1x1 ${linear.bits}-bit`, () =>
            engine.matmul(linear, ...args),
          ),
      },
      bundle,
    )
  ).encoder();
  const runs: Record<string, number[]> = {};
  for (let run = 0; run < 3 * rounds + 3; run++) {
    spent = {};
    const start = performance.now();
    await encoder.encode(pixel_values);
    const total = performance.now() - start;
    spent['the rest'] = total - Object.values(spent).reduce((sum, ms) => sum + ms, 0);
    if (run >= 3) for (const [name, ms] of Object.entries(spent)) (runs[name] ??= []).push(ms);
  }
  return Object.fromEntries(Object.entries(runs).map(([name, values]) => [name, spread(values).median]));
}
