import { softmax } from '../generation/softmax.ts';
import type { EmbeddedImage } from '../pipeline/embed-image.ts';
import { embedTexts } from '../pipeline/embed-texts.ts';
import type { DualBundle } from '../pipeline/loaded-bundle.ts';
import { shared, type RequestContext } from '../pipeline/request-context.ts';
import type { Stopwatch } from '../pipeline/timings.ts';
import { rankClasses, type Classification, type LabelQuestion } from './classify-image.ts';

/** Of transformers' zero-shot image classification. */
export const DEFAULT_HYPOTHESIS = 'This is a photo of {}.';

const ACTIVATIONS = { softmax, sigmoid };

/** Scores each label by the image's likeness to a text about it: logits_per_image of CLIP or SigLIP. */
export async function classifyBySimilarity(
  bundle: DualBundle,
  embedded: EmbeddedImage,
  { labels, hypothesis_template = DEFAULT_HYPOTHESIS }: LabelQuestion,
  context: RequestContext,
  stopwatch: Stopwatch,
): Promise<Classification> {
  const texts = labels.map((label, index) => ({
    text: hypothesis_template.replace('{}', () => label),
    param: `labels.${index}`,
  }));
  const { text_embeds } = await embedTexts(bundle, texts, context, stopwatch);
  const embedder = await shared(context, bundle.model.text_embedder());
  const logits = embedder.logits(embedded.image_embeds.data, text_embeds);
  const { image, cache } = embedded;
  const classes = rankClasses(labels, logits, ACTIVATIONS[bundle.model.activation]);
  return { image, cache, classes, timings: stopwatch.timings() };
}

function sigmoid(logits: Float32Array): Float64Array {
  return Float64Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)));
}
