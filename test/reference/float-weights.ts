import type { Tensor } from '../../src/bundle/safetensors.ts';
import type { Engine, Linear } from '../../src/kernels/engine.ts';
import { halfToFloat } from '../../src/kernels/reference.ts';
import type { Weights } from '../../src/model/weights.ts';
import { multiply } from './float-matmul.ts';

/** A model's float weights, and the engine that they run on. */
export interface FloatModel {
  /** Its products and its embedding rows are those of `weights`; all else is the engine's own kernels. */
  readonly engine: Engine;
  readonly weights: Weights;
}

/** @param tensors NAME.weight and NAME.bias in float16 or float32 by a bundle's names, nothing quantised */
export function withFloatWeights(engine: Engine, tensors: readonly Tensor[]): FloatModel {
  const { memory, kernels } = engine;
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  /** By Linear.weight, which stands for them. */
  const matrices = new Map<number, Float32Array>();

  function floatsOf(name: string, length: number): Float32Array {
    const tensor = byName.get(name);
    if (tensor === undefined) throw new Error(`no tensor ${name}`);
    const { buffer } = tensor.data.slice();
    const floats =
      tensor.dtype === 'F16'
        ? Float32Array.from(new Uint16Array(buffer), halfToFloat)
        : new Float32Array(buffer);
    if (floats.length !== length) throw new Error(`${name} has ${floats.length} elements, not ${length}`);
    return floats;
  }

  function matrixAt(weight: number): Float32Array {
    const matrix = matrices.get(weight);
    if (matrix === undefined) throw new Error('not a layer of these weights');
    return matrix;
  }

  function joined(parts: readonly Float32Array[]): Float32Array {
    return Float32Array.from(parts.flatMap((part) => [...part]));
  }

  function fused(names: readonly string[], k: number, outs: readonly number[], bias = true): Linear {
    const weight = memory.alloc(1);
    matrices.set(weight, joined(names.map((name, i) => floatsOf(`${name}.weight`, k * (outs[i] ?? 0)))));
    return {
      ...{ bits: 4, in_features: k, out_features: outs.reduce((a, b) => a + b, 0), weight },
      bias: bias ? memory.put(joined(names.map((name, i) => floatsOf(`${name}.bias`, outs[i] ?? 0)))) : 0,
    };
  }

  return {
    engine: {
      ...engine,
      matmul: (linear, ...rest) => multiply(engine, linear, matrixAt(linear.weight), ...rest),
      kernels: {
        ...kernels,
        unpack_q4_row: (weight, row, k, out) =>
          memory.f32(out, k).set(matrixAt(weight).subarray(row * k, (row + 1) * k)),
      },
    },
    weights: {
      linear: (name, k, out, bias) => Promise.resolve(fused([name], k, [out], bias)),
      table: (name, k, tokens) => Promise.resolve(fused([name], k, [tokens], false)),
      fused: (names, k, outs, bias) => Promise.resolve(fused(names, k, outs, bias)),
      floats: (name, length) => Promise.resolve(memory.put(floatsOf(name, length))),
      convolution: (name) => Promise.reject(new Error(`${name} is a convolution`)),
      release: () => undefined,
    },
  };
}
