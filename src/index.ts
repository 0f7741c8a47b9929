import relaxed from '../build/kernels.relaxed.wasm';
import simd from '../build/kernels.simd.wasm';
import { createEngine } from './kernels/engine.ts';
import { ISOLATE_KERNELS_MEMORY } from './kernels/isolate.ts';
import { modelsOn } from './model/create-model.ts';
import { createWorker } from './worker.ts';

export default createWorker(
  modelsOn(() => createEngine({ relaxed: () => relaxed, simd: () => simd }, ISOLATE_KERNELS_MEMORY)),
);
