import type { Bundle } from '../bundle/bundle.ts';
import type { Engine } from '../kernels/engine.ts';
import { createWeights, type Weights } from './weights.ts';

/**
 * What `load` makes of the tensors of the prefixes. Where it fails, as where a shard does not come, the memory
 * that its weights took is given back, so that it can be tried again.
 */
export async function loadPart<Part>(
  engine: Engine,
  bundle: Bundle,
  prefixes: readonly string[],
  load: (weights: Weights) => Promise<Part>,
): Promise<Part> {
  const tensors = bundle.tensors(prefixes);
  const weights = createWeights(engine, tensors);
  try {
    return await load(weights);
  } catch (error) {
    weights.release();
    throw error;
  } finally {
    await tensors.return(); // and frees the shard that it stands in
  }
}
