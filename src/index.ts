import relaxed from '../build/kernels.relaxed.wasm';
import simd from '../build/kernels.simd.wasm';
import { createEngine } from './kernels/engine.ts';
import { modelsOn } from './model/create-model.ts';
import { createWorker } from './worker.ts';

/**
 * Weights, activations, keys and values, in bytes: what a large model leaves of an isolate's 128 MB to JavaScript.
 * The default one takes some 20 of them, and what requests may hold at once is bounded by admission/.
 */
const KERNELS_MEMORY = 108 * 2 ** 20;

export default createWorker(
  modelsOn(() => createEngine({ relaxed: () => relaxed, simd: () => simd }, KERNELS_MEMORY)),
);
