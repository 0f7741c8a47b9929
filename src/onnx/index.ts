/** The Worker of wrangler.toml's environment `onnx`: the same but for the engine, which the default one carries nothing of. */
import { createWorker } from '../worker.ts';
import { onnxModelsOn } from './model.ts';
import { createWorkerdRuntime } from './workerd.ts';

const runtime = createWorkerdRuntime();

export default createWorker(onnxModelsOn(runtime));
