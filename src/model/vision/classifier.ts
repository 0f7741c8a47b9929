import { GlimpseError } from '../../errors.ts';
import type { Engine } from '../../kernels/engine.ts';
import type { ImageClassifier } from '../types.ts';
import type { Weights } from '../weights.ts';

/** One linear layer over the pooled features, as torchvision's and timm's classifiers end. */
export function createImageClassifier(
  { memory, matmul }: Engine,
  weights: Weights,
  name: string,
  labels: readonly string[],
): ImageClassifier {
  const linear = weights.linear(name);
  const { in_features, out_features } = linear;
  if (labels.length !== out_features) {
    throw new GlimpseError(
      'bundle_invalid',
      `config.json has ${labels.length} labels in id2label; the classifier has ${out_features} outputs.`,
    );
  }
  const input = memory.alloc(4 * in_features);
  const logits = memory.alloc(4 * out_features);
  return {
    labels,
    classify(pooler_output) {
      memory.f32(input, in_features).set(pooler_output);
      matmul(linear, input, logits, 1);
      return memory.f32(logits, out_features).slice();
    },
  };
}
