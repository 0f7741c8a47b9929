import { GlimpseError } from '../errors.ts';
import type { EmbeddedImage, ImageInput } from '../pipeline/embed-image.ts';
import { softmax } from '../generation/softmax.ts';
import type { LoadedBundle } from '../pipeline/loaded-bundle.ts';
import { shared, type RequestContext } from '../pipeline/request-context.ts';
import type { Stopwatch } from '../pipeline/timings.ts';

export interface ImageClass {
  readonly label: string;
  /** What the classes are ordered by: see whoever scored them. */
  readonly score: number;
  /** softmax of the scores, over all labels. */
  readonly probability: number;
}

export interface Classification {
  readonly image: EmbeddedImage['image'];
  readonly cache: EmbeddedImage['cache'];
  /** The likeliest first. */
  readonly classes: readonly ImageClass[];
  readonly timings: Readonly<Record<string, number>>;
}

export interface ImageQuery extends RequestContext {
  readonly image: ImageInput;
}

const TOP = 5;

/**
 * The likeliest five labels of the vision tower's own classifier; scores are its logits. It reads what is
 * cached beside the embeddings, so that a cached image needs the classifier's weights and no others.
 * @throws GlimpseError invalid_request where the model has no classifier
 */
export async function classifyByHead(
  bundle: LoadedBundle,
  embedded: EmbeddedImage,
  context: RequestContext,
  stopwatch: Stopwatch,
): Promise<Classification> {
  const load = bundle.model.classifier;
  if (load === undefined) {
    throw new GlimpseError('invalid_request', 'This model knows no labels of its own: send labels.', {
      param: 'labels',
    });
  }
  const classifier = await stopwatch.time('load', () => shared(context, load()));
  const logits = classifier.classify(embedded.image_embeds.pooler_output);
  const { image, cache } = embedded;
  const classes = rankClasses(classifier.labels, logits).slice(0, TOP);
  return { image, cache, classes, timings: stopwatch.timings() };
}

/** Labels with their scores and probabilities, the highest first. */
export function rankClasses(labels: readonly string[], scores: Float32Array): ImageClass[] {
  const probabilities = softmax(scores);
  return labels
    .map((label, i) => ({ label, score: scores[i] ?? 0, probability: probabilities[i] ?? 0 }))
    .sort((a, b) => b.score - a.score);
}
