/** Worker only: ONNX Runtime where WebAssembly is not compiled from bytes. */
import * as ort from 'onnxruntime-web/wasm';
import ortWasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm';
import { createRuntime, type Runtime } from './runtime.ts';

/** Called once: it stays in force for the isolate. */
export function createWorkerdRuntime(): Runtime {
  /** What ONNX Runtime takes for its WebAssembly: `instantiate` knows it again and takes the compiled module. */
  const placeholder = new ArrayBuffer(8);
  let memory: WebAssembly.Memory | undefined;

  const { instantiate } = WebAssembly;
  const instantiateKnown = async (
    source: BufferSource | WebAssembly.Module,
    imports: WebAssembly.Imports = {},
  ): Promise<unknown> => {
    const isOnnxRuntime = ArrayBuffer.isView(source) && source.buffer === placeholder;
    if (!isOnnxRuntime) return instantiate(source, imports);
    memory = memoryOf(imports);
    return { module: ortWasm, instance: await instantiate(ortWasm, imports) };
  };
  WebAssembly.instantiate = instantiateKnown as typeof instantiate;
  // Without threads and with bytes given it takes the one way that asks for no import.meta.url.
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = placeholder;
  return createRuntime(ort, () => memory?.buffer.byteLength ?? 0);
}

function memoryOf(imports: WebAssembly.Imports): WebAssembly.Memory | undefined {
  const values = Object.values(imports).flatMap((module) => Object.values(module));
  return values.find((value) => value instanceof WebAssembly.Memory);
}
