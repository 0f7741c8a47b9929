import { holding } from '../admission/budget.ts';
import type { AnswerBudget } from '../admission/admission.ts';
import type { PrefixCache } from '../model/prefix-cache.ts';
import type { EmbedImage } from '../pipeline/embed-image.ts';
import type { LoadedBundle } from '../pipeline/loaded-bundle.ts';
import { shared } from '../pipeline/request-context.ts';
import type { Stopwatch } from '../pipeline/timings.ts';
import { classifyByLabels } from './classify-by-labels.ts';
import { classifyBySimilarity } from './classify-by-similarity.ts';
import { classifyByHead, refuseOption, type Classification, type ImageQuery } from './classify-image.ts';
import { LABELS_AT_ONCE } from './label-likelihoods.ts';

export interface ClassifyStages {
  readonly embedImage: EmbedImage;
  readonly prefixes: PrefixCache;
  readonly answerBudget: AnswerBudget;
}

/** Classifies an image by whatever the model has for it. */
export async function classify(
  { embedImage, prefixes, answerBudget }: ClassifyStages,
  bundle: LoadedBundle,
  query: ImageQuery,
  stopwatch: Stopwatch,
): Promise<Classification> {
  const { question } = query;
  if (question && bundle.kind === 'dual') {
    refuseOption(question, 'prompt', 'it compares the image with texts, which hypothesis_template makes');
    refuseOption(question, 'template', 'send hypothesis_template, with {} in the place of the label');
  } else if (question) {
    refuseOption(
      question,
      'hypothesis_template',
      'send prompt and template, with {label} in the place of the label',
    );
  }
  const embedded = await embedImage(query.image, bundle, query, stopwatch);
  if (question === undefined) return classifyByHead(bundle, embedded, query, stopwatch);
  if (bundle.kind === 'dual') return classifyBySimilarity(bundle, embedded, question, query, stopwatch);
  const decoder = await stopwatch.time('load', () => shared(query, bundle.model.decoder()));
  const admission = () => answerBudget.acquire(decoder, 1, LABELS_AT_ONCE, query);
  return holding(await stopwatch.time('queue', admission), () =>
    classifyByLabels(bundle, decoder, embedded, question, prefixes, query, stopwatch),
  );
}
