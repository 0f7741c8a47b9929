import type * as OnnxRuntime from 'onnxruntime-web/wasm';
import { createMutex } from '../model/mutex.ts';
import type { EngineMemory } from '../pipeline/loaded-bundle.ts';

export type Tensor = OnnxRuntime.Tensor;
export type Feeds = Readonly<Record<string, Tensor>>;

/** An input as the graph declares it; a dimension that is free has a name. */
export interface GraphInput {
  readonly type: Tensor['type'];
  readonly shape: readonly (number | string)[];
}

/** A graph with its weights. */
export interface Graph {
  readonly inputs: ReadonlyMap<string, GraphInput>;
  readonly outputs: readonly string[];
  /** @param feeds one for each input */
  run(feeds: Feeds): Promise<Readonly<Record<string, Tensor>>>;
}

/** A file beside a graph's own that holds its weights; the graph calls it `path`. */
export interface ExternalData {
  readonly path: string;
  readonly data: Uint8Array;
}

/** ONNX Runtime in WebAssembly on one thread. */
export interface Runtime {
  readonly Tensor: typeof OnnxRuntime.Tensor;
  /** @throws Error where `model` is no graph that it can run */
  open(model: Uint8Array, externalData: readonly ExternalData[]): Promise<Graph>;
  /** Of what it holds of its WebAssembly's memory it does not tell what is free: all counts as used. */
  readonly memory: EngineMemory;
}

const OPTIONS = { executionProviders: ['wasm'], graphOptimizationLevel: 'all', logSeverityLevel: 3 } as const;

/** @param size bytes of its memory; 0 before the first graph is opened */
export function createRuntime(
  { InferenceSession, Tensor }: Pick<typeof OnnxRuntime, 'InferenceSession' | 'Tensor'>,
  size: () => number = () => 0,
): Runtime {
  // One stack for all sessions, which a run holds over its awaits, and one start, which must not be made twice.
  const mutex = createMutex();
  return {
    Tensor,
    memory: {
      get size() {
        return size();
      },
      get used() {
        return size();
      },
    },
    async open(model, externalData) {
      const options = { ...OPTIONS, ...(externalData.length > 0 ? { externalData: [...externalData] } : {}) };
      const session = await mutex(() => InferenceSession.create(model, options));
      const inputs = session.inputMetadata.flatMap((input) =>
        input.isTensor ? [[input.name, { type: input.type, shape: input.shape }] as const] : [],
      );
      return {
        inputs: new Map(inputs),
        outputs: session.outputNames,
        run: (feeds) => mutex(() => session.run(feeds)),
      };
    },
  };
}
