import relaxed from '../build/kernels.relaxed.wasm';
import simd from '../build/kernels.simd.wasm';
import { createEngine } from './kernels/engine.ts';
import { modelsOn } from './model/create-model.ts';
import { createWorker } from './worker.ts';

/** Weights, activations, keys and values, in bytes. An isolate has 128 MiB for these, images and JavaScript. */
const KERNELS_MEMORY = 36 * 2 ** 20;

export default createWorker(
  modelsOn(() => createEngine({ relaxed: () => relaxed, simd: () => simd }, KERNELS_MEMORY)),
);
