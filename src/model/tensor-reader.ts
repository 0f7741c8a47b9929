import type { DType, Tensor } from '../bundle/safetensors.ts';
import { GlimpseError } from '../errors.ts';

/** Tensors taken by name from a stream of them. */
export interface TensorReader {
  /**
   * The first to come of the tensors of these names. What comes before it waits until it is asked for: who asks
   * in the order of the stream holds no more of it than the file that is being read and the one before.
   * @throws bundle_invalid where the stream ends without any
   */
  take(names: readonly [string, ...string[]]): Promise<Tensor>;
}

export function createTensorReader(tensors: AsyncIterable<Tensor>): TensorReader {
  const iterator = tensors[Symbol.asyncIterator]();
  const waiting = new Map<string, Tensor>();
  let ended = false;

  function takeWaiting(names: readonly string[]): Tensor | undefined {
    const tensor = names.map((name) => waiting.get(name)).find((found) => found !== undefined);
    if (tensor) waiting.delete(tensor.name);
    return tensor;
  }

  async function readOn(): Promise<void> {
    const next = await iterator.next();
    if (next.done) ended = true;
    else waiting.set(next.value.name, next.value);
  }

  return {
    async take(names) {
      for (;;) {
        const tensor = takeWaiting(names);
        if (tensor) return tensor;
        if (ended) throw new GlimpseError('bundle_invalid', `The bundle has no tensor ${names[0]}.`);
        await readOn();
      }
    },
  };
}

/** @throws bundle_invalid */
export function requireTensor(tensor: Tensor, dtype: DType, shape: readonly number[]): void {
  if (tensor.dtype === dtype && tensor.shape.join() === shape.join()) return;
  const [is, want] = [`${tensor.dtype} [${tensor.shape.join()}]`, `${dtype} [${shape.join()}]`];
  throw new GlimpseError(
    'bundle_invalid',
    `The bundle's ${tensor.name} is ${is}; its configuration asks for ${want}.`,
  );
}
