import * as ort from 'onnxruntime-web';

/** A model in onnxruntime-web's WebAssembly backend on one thread. */
export interface Session {
  run(input: Readonly<Record<string, ort.Tensor>>): Promise<ort.InferenceSession.ReturnType>;
  release(): Promise<void>;
}

export function openSession(model: Uint8Array): Promise<Session> {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  return ort.InferenceSession.create(model, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
}

export function tensor(data: Float32Array, dims: readonly number[]): ort.Tensor {
  return new ort.Tensor('float32', data, dims);
}
