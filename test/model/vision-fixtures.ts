import { readFileSync } from 'node:fs';
import { openBundle, type Bundle } from '../../src/bundle/bundle.ts';
import { readSafetensors } from '../../src/bundle/safetensors.ts';
import { fileSource } from '../../src/bundle/sources/file.ts';
import { createEngine, type Engine, type KernelBuild } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import type { PixelValues } from '../../src/model/types.ts';
import { withFloatActivations } from '../reference/float-matmul.ts';

const FOLDER = 'test/fixtures/vision';

/** What transformers computed with a case's model. */
export interface VisionGoldens {
  floats(name: string): Float32Array;
  ids(name: string): readonly number[];
  readonly pixel_values: PixelValues;
}

export function openCase(name: string, folder = FOLDER): Promise<Bundle> {
  return openBundle(fileSource(folder), name);
}

export function readCase(name: string, folder = FOLDER): VisionGoldens {
  const file = `${name}.safetensors`;
  const bytes = new Uint8Array(readFileSync(`${folder}/${file}`));
  const tensors = new Map(readSafetensors(bytes, file).map((t) => [t.name, t]));
  const tensor = (name: string) => {
    const found = tensors.get(name);
    if (found === undefined) throw new Error(`${file} has no ${name}`);
    return found;
  };
  const floats = (name: string) => new Float32Array(tensor(name).data.slice().buffer);
  const [batch = 0, channels = 0, height = 0, width = 0] = tensor('pixel_values').shape;
  const pixels = floats('pixel_values');
  const size = channels * height * width;
  return {
    floats,
    ids: (name) => [...new Int32Array(tensor(name).data.slice().buffer)],
    pixel_values: {
      shape: [batch, channels, height, width],
      grid: batch > 1 ? [1, batch - 1] : [0, 0],
      read: (index) => pixels.slice(index * size, (index + 1) * size),
    },
  };
}

interface EngineCase {
  readonly kind: string;
  readonly create: () => Engine;
  /** The largest |a - b| / |b| allowed of the vision half's outputs, and of logits that both halves lead to. */
  readonly bound: number;
  readonly logits_bound: number;
}

/** The engines that goldens are held against. */
export const ENGINES: readonly EngineCase[] = [
  // The weights are the same floats on both sides and nothing is rounded: only the code can differ.
  { kind: 'float activations', create: () => withFloatActivations(kernels('simd')), ...bounds(1e-3, 1e-3) },
  // Activations of 8 bits are off by up to 1/254 of the largest in their block of 32: 0.8 % a product.
  { kind: 'relaxed', create: () => kernels('relaxed'), ...bounds(0.04, 0.06) },
  { kind: 'simd', create: () => kernels('simd'), ...bounds(0.04, 0.06) },
];

function bounds(bound: number, logits_bound: number) {
  return { bound, logits_bound };
}

function kernels(build: KernelBuild): Engine {
  return createEngine(nodeKernelModules, 2 ** 26, [build]);
}
