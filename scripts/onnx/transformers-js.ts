import type * as TransformersJs from '@huggingface/transformers';
import * as ort from 'onnxruntime-web';

/**
 * transformers.js on Node with onnxruntime-web on one thread as its backend, the same WebAssembly as ours;
 * its own, onnxruntime-node, is not installed: 294 MB, and more that its install script downloads.
 * @param folder where models lie: nothing is downloaded
 */
export async function loadTransformers(folder: string): Promise<typeof TransformersJs> {
  Reflect.set(globalThis, Symbol.for('onnxruntime'), ort); // its documented way to another runtime
  ort.env.wasm.numThreads = 1;
  const transformers = await import('@huggingface/transformers');
  Reflect.deleteProperty(ort.env.wasm, 'wasmPaths'); // which it has pointed to a CDN
  Object.assign(transformers.env, { allowRemoteModels: false, localModelPath: `${folder}/` });
  return transformers;
}

/**
 * Options of from_pretrained. On Node it passes paths on, which onnxruntime-web reads, but not those of
 * external data.
 * @param external graphs whose weights lie beside them
 */
export function modelOptions(
  dtype: 'fp32' | 'q4' | Readonly<Record<string, 'fp32' | 'q4'>>,
  external: readonly string[] = [],
): object {
  const externalData = external.map((graph) => ({ path: `${graph}_data`, data: `onnx/${graph}_data` }));
  return {
    device: 'auto', // of those that it knows there are none; session_options say which
    dtype,
    session_options: { executionProviders: ['wasm'], ...(external.length > 0 ? { externalData } : {}) },
  };
}
