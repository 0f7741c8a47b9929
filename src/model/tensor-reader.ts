import type { DType, Tensor } from '../bundle/safetensors.ts';
import { GlimpseError } from '../errors.ts';
import { freeNow } from '../free-now.ts';

/** Tensors taken by name from a stream of them, one after the other. */
export interface TensorReader {
  /**
   * The first to come of the tensors of these names, its data valid until the next is taken. What comes before
   * it is kept, as a copy, until it is asked for: who asks in the order of the stream has it keep nothing.
   * @throws bundle_invalid where the stream ends without any
   */
  take(names: readonly [string, ...string[]]): Promise<Tensor>;
}

export function createTensorReader(tensors: AsyncIterable<Tensor>): TensorReader {
  const iterator = tensors[Symbol.asyncIterator]();
  const kept = new Map<string, Tensor>();
  let given: Tensor | undefined; // a copy
  return {
    async take(names) {
      if (given) freeNow(given.data);
      given = undefined;
      const early = names.map((name) => kept.get(name)).find((tensor) => tensor !== undefined);
      if (early) {
        kept.delete(early.name);
        return (given = early);
      }
      for (;;) {
        const next = await iterator.next();
        if (next.done) throw new GlimpseError('bundle_invalid', `The bundle has no tensor ${names[0]}.`);
        const tensor = next.value;
        if (names.includes(tensor.name)) return tensor;
        kept.set(tensor.name, { ...tensor, data: tensor.data.slice() });
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
