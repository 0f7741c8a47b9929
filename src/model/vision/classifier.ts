import type { Engine } from '../../kernels/engine.ts';
import type { ImageClassifier } from '../types.ts';
import type { Weights } from '../weights.ts';

/** One linear layer over the pooled features, as torchvision's and timm's classifiers end. */
export async function createImageClassifier(
  { memory, matmul }: Engine,
  weights: Weights,
  name: string,
  features: number,
  labels: readonly string[],
): Promise<ImageClassifier> {
  const linear = await weights.linear(name, features, labels.length);
  const input = memory.alloc(4 * features);
  const logits = memory.alloc(4 * labels.length);
  return {
    labels,
    classify(pooler_output) {
      memory.f32(input, features).set(pooler_output);
      matmul(linear, input, logits, 1);
      return memory.f32(logits, labels.length).slice();
    },
  };
}
