/** Node only: ONNX Runtime's own build of the same WebAssembly. */
import * as ort from 'onnxruntime-web';
import { createRuntime, type Runtime } from './runtime.ts';

export function createNodeRuntime(): Runtime {
  ort.env.wasm.numThreads = 1;
  return createRuntime(ort);
}
