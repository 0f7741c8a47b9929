import { createEngine, type Engine } from '../../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../../src/kernels/modules-node.ts';
import { createModel } from '../../../src/model/create-model.ts';
import type { CreateModel } from '../../../src/pipeline/loaded-bundle.ts';
import { nameLayers } from '../named-layers.ts';
import { addInputs, createMoments, type InputMoments } from './input-moments.ts';

/** A product's layers, or pieces of layers, and the inputs that they share. */
export interface HeardProduct {
  readonly names: readonly string[];
  readonly inputs: InputMoments;
}

/** By the first of their names. */
export type HeardProducts = Map<string, HeardProduct>;

/** Of the kernels' memory: on Node there is more than in an isolate. */
const MEMORY = 2 ** 31;

/** Makes models as the Worker runs them, and adds to `heard` what their 4-bit products read. */
export function hearInputs(heard: HeardProducts): CreateModel {
  function add(names: readonly string[], in_features: number, x: Float32Array, rows: number): void {
    const [first = ''] = names;
    const product = heard.get(first) ?? { names, inputs: createMoments(in_features) };
    heard.set(first, product);
    addInputs(product.inputs, x, rows);
  }

  return async (bundle) => {
    const { engine, bundle: named, namesOf } = nameLayers(bundle, createEngine(nodeKernelModules, MEMORY));
    const { memory } = engine;
    const matmul: Engine['matmul'] = (linear, x, y, rows, options) => {
      const { bits, in_features } = linear;
      if (bits === 4) add(namesOf(linear), in_features, memory.f32(x, rows * in_features), rows);
      engine.matmul(linear, x, y, rows, options);
    };
    return { model: await createModel({ ...engine, matmul }, named), memory };
  };
}
