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
  /** Of the label among all, or, where the model takes each for itself, of the label being true. */
  readonly probability: number;
}

export interface Classification {
  readonly image: EmbeddedImage['image'];
  readonly cache: EmbeddedImage['cache'];
  /** The likeliest first. */
  readonly classes: readonly ImageClass[];
  readonly timings: Readonly<Record<string, number>>;
}

/** Labels, and how they are asked: each kind of model knows some of the ways and refuses the others. */
export interface LabelQuestion {
  readonly labels: readonly string[];
  readonly prompt?: string | undefined;
  /** The answer that a label would be, `{label}` standing for it. */
  readonly template?: string | undefined;
  /** The text about an image that a label would make, `{}` standing for it. */
  readonly hypothesis_template?: string | undefined;
}

export interface ImageQuery extends RequestContext {
  readonly image: ImageInput;
  /** undefined: which of the model's own labels it is. */
  readonly question: LabelQuestion | undefined;
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
  const load = bundle.kind === 'generative' ? bundle.model.classifier : undefined;
  if (load === undefined) {
    throw new GlimpseError('invalid_request', 'This model knows no labels of its own: send labels.', {
      param: 'labels',
    });
  }
  const classifier = await stopwatch.time('load', () => shared(context, load()));
  const logits = classifier.classify(embedded.image_embeds.pooler_output);
  const { image, cache } = embedded;
  const classes = rankClasses(classifier.labels, logits, softmax).slice(0, TOP);
  return { image, cache, classes, timings: stopwatch.timings() };
}

/** Labels with their scores and what these are probabilities of, the highest first. */
export function rankClasses(
  labels: readonly string[],
  scores: Float32Array,
  activation: (scores: Float32Array) => Float64Array,
): ImageClass[] {
  const probabilities = activation(scores);
  return labels
    .map((label, i) => ({ label, score: scores[i] ?? 0, probability: probabilities[i] ?? 0 }))
    .sort((a, b) => b.score - a.score);
}

/** @throws GlimpseError unsupported_value for a way of asking that the model does not know */
export function refuseOption(
  question: LabelQuestion,
  option: 'prompt' | 'template' | 'hypothesis_template',
  instead: string,
): void {
  if (question[option] === undefined) return;
  throw new GlimpseError('unsupported_value', `${option}: this model has no use for it: ${instead}.`, {
    param: option,
  });
}
