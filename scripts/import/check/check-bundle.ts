import { openBundle } from '../../../src/bundle/bundle.ts';
import { fileSource } from '../../../src/bundle/sources/file.ts';
import { createEngine, type Engine } from '../../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../../src/kernels/modules-node.ts';
import { multiply } from '../../../test/reference/float-matmul.ts';
import type { PixelValues } from '../../../src/model/types.ts';
import type { Target } from '../../bundle/target.ts';
import type { Source } from '../import-model.ts';
import type { Plan } from '../plan.ts';
import { nameLayers, type NamedLayers } from '../named-layers.ts';
import { publishedWeights, type PublishedWeights } from './published-weights.ts';
import { runSample, type SampleOutputs } from './sample-run.ts';

/** How far a layer's outputs are from those of the published weights: root of the squares' means, relative. */
export interface LayerError {
  readonly name: string;
  readonly error: number;
}

export interface Check {
  /** In the order in which they run. Errors of the layers before are in them. */
  readonly layers: readonly LayerError[];
  readonly outputs: readonly LayerError[];
  /** At how many of the logits' positions the likeliest is the same, and how many there are. */
  readonly agreeing: number;
  readonly positions: number;
}

/** Of the kernels' memory: a check runs on Node. */
const MEMORY = 2 ** 30;
/** The last product of a layer, or of what stands between layers. */
const OUTPUTS =
  /\.(patch_embedding|mlp\.fc2|mlp\.down_proj|project|modality_projection\.proj|linear_2)$|^vision_tower\.head$/;

/**
 * Runs one sample twice through the engine: with the published weights, in floating point, and with the
 * bundle's, as the Worker does. Convolutions between products are the bundle's both times.
 */
export async function checkBundle(
  source: Pick<Source, 'checkpoint' | 'tensors'>,
  plan: Plan,
  { id, out }: Target,
  pixel_values?: PixelValues,
): Promise<Check> {
  const weights = publishedWeights(source.checkpoint, source.tensors, plan);
  const bundle = await openBundle(fileSource(out), id);
  const run = async (make: (layers: NamedLayers) => Engine, hear: Hear): Promise<SampleOutputs> => {
    const layers = nameLayers(bundle, createEngine(nodeKernelModules, MEMORY));
    return runSample(heard(make(layers), layers, hear), layers.bundle, pixel_values);
  };

  const expected: { readonly name: string; readonly output: Float32Array }[] = [];
  const published = await run(
    (layers) => withPublishedWeights(layers, weights),
    (name, output) => expected.push({ name, output }),
  );
  const layers = new Map<string, Sum>();
  let next = 0;
  const quantised = await run(
    ({ engine }) => engine,
    (name, output) => add(layers, name, output, expected[next++]?.output),
  );
  const outputs = new Map<string, Sum>();
  for (const [name, rows] of Object.entries(quantised)) {
    rows.forEach((row, i) => add(outputs, name, row, published[name]?.[i]));
  }
  const positions = Array.from(quantised.logits ?? [], likeliest);
  const wanted = Array.from(published.logits ?? [], likeliest);
  return {
    layers: errorsOf(layers),
    outputs: errorsOf(outputs),
    agreeing: positions.filter((id, i) => id === wanted[i]).length,
    positions: positions.length,
  };
}

function likeliest(logits: Float32Array): number {
  return logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));
}

function errorsOf(sums: ReadonlyMap<string, Sum>): readonly LayerError[] {
  return [...sums].map(([name, { difference, total }]) => ({ name, error: Math.sqrt(difference / total) }));
}

interface Sum {
  readonly difference: number;
  readonly total: number;
}

/** Told of a layer's output, whose copy it may keep. */
type Hear = (name: string, output: Float32Array) => void;

function heard(engine: Engine, layers: NamedLayers, hear: Hear): Engine {
  return {
    ...engine,
    matmul(linear, x, y, rows, options) {
      engine.matmul(linear, x, y, rows, options);
      const name = (layers.namesOf(linear)[0] ?? '').replace(/\.\d+$/, '');
      if (OUTPUTS.test(name)) hear(name, engine.memory.f32(y, rows * linear.out_features).slice());
    },
  };
}

function withPublishedWeights({ engine, namesOf, nameAt }: NamedLayers, weights: PublishedWeights): Engine {
  return {
    ...engine,
    matmul: (linear, ...rest) => multiply(engine, linear, weights.matrix(namesOf(linear)), ...rest),
    kernels: {
      ...engine.kernels,
      unpack_q4_row: (weight, row, k, out) => engine.memory.f32(out, k).set(weights.row(nameAt(weight), row)),
    },
  };
}

function add(
  sums: Map<string, Sum>,
  name: string,
  output: Float32Array,
  expected: Float32Array = new Float32Array(),
): void {
  let { difference, total } = sums.get(name) ?? { difference: 0, total: 0 };
  for (let i = 0; i < output.length; i++) {
    difference += ((output[i] ?? 0) - (expected[i] ?? 0)) ** 2;
    total += (expected[i] ?? 0) ** 2;
  }
  sums.set(name, { difference, total });
}
