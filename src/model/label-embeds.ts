import { softmax } from '../generation/softmax.ts';
import type { TokenEmbedding } from './token-embedding.ts';
import type { ImageClassifier, ImageEncoder } from './types.ts';
import { likelyNames, nameTokens, type LabelNamesConfig } from './vision/label-names.ts';

/**
 * The rows of image_embeds that tell the decoder what the classifier sees, which it learns to copy.
 * @param pooler_output [features]
 * @returns the caller's own // [labelRows, hidden]
 */
export type LabelEmbeds = (pooler_output: Float32Array) => Promise<Float32Array>;

/**
 * Names as the decoder's own token embeddings, each row with a trained vector of its place added.
 * @param positions these vectors, a view that is good until the next await // [labelRows, hidden]
 */
export function createLabelEmbeds(
  classifier: ImageClassifier,
  embed_tokens: Pick<TokenEmbedding, 'rows'>,
  positions: () => Float32Array,
  config: LabelNamesConfig,
): LabelEmbeds {
  return async (pooler_output) => {
    const told = likelyNames(softmax(classifier.classify(pooler_output)), config);
    const embeds = await embed_tokens.rows(nameTokens(told, config));
    positions().forEach((value, i) => (embeds[i] = (embeds[i] ?? 0) + value));
    return embeds;
  };
}

/** An encoder whose image_embeds end in these rows. */
export function withLabelEmbeds(encoder: ImageEncoder, labelEmbeds: LabelEmbeds): ImageEncoder {
  return {
    async encode(pixel_values, signal) {
      const embeds = await encoder.encode(pixel_values, signal);
      const told = await labelEmbeds(embeds.pooler_output);
      const data = new Float32Array(embeds.data.length + told.length);
      data.set(embeds.data);
      data.set(told, embeds.data.length);
      const [, hidden] = embeds.shape;
      return { ...embeds, data, shape: [data.length / hidden, hidden] };
    },
  };
}
