/**
 * What a vision-language model is to the rest of Glimpse, whichever engine runs it. Names and
 * shapes are those of Hugging Face transformers.
 */

/** A batch of preprocessed images, as the image processor gives it. */
export interface PixelValues {
  readonly data: Float32Array; // [batch, channels, height, width]
  readonly shape: readonly [batch: number, channels: number, height: number, width: number];
}

/** An image as the decoder reads it: a row an image token, in the decoder's hidden width. */
export interface ImageEmbeds {
  readonly data: Float32Array; // [tokens, hidden]
  readonly shape: readonly [tokens: number, hidden: number];
  /** The vision tower's last feature map, averaged over its positions: what an image classifier reads. */
  readonly pooler_output: Float32Array; // [features]
}

/** The keys and values of one sequence. Owned by whoever made it, until `release`. */
export interface PastKeyValues {
  /** Positions held, an image prefix included. */
  readonly length: number;
  /**
   * A sequence that goes on from this one. Both may be extended and released apart. What the two
   * share is not copied where the engine can avoid it.
   * @param room how many positions it will be extended by, as far as that is known
   */
  fork(room?: number): PastKeyValues;
  release(): void;
}

/** What one sequence is extended by: tokens, or embeddings in the decoder's hidden width. */
export type DecoderInput = { readonly past_key_values: PastKeyValues } & (
  | { readonly input_ids: readonly number[] }
  | { readonly inputs_embeds: Float32Array } // [rows, hidden]
);

export interface Decoder {
  readonly vocab_size: number;
  /** The context length: prefix, prompt and answer together. */
  readonly max_position_embeddings: number;
  /** An empty sequence with room for `positions`. */
  create(positions: number): PastKeyValues;
  /**
   * Extends each sequence by its input, all in one pass of the weights.
   * @returns for each sequence the logits that follow its last position, the caller's own. // [vocab_size]
   */
  forward(batch: readonly DecoderInput[]): Promise<readonly Float32Array[]>;
}

export interface ImageEncoder {
  /** One image through the vision encoder and the projector. Images wait for each other. */
  encode(pixel_values: PixelValues, signal?: AbortSignal): Promise<ImageEmbeds>;
}

/** The vision tower's own head, over a fixed set of labels. */
export interface ImageClassifier {
  readonly labels: readonly string[];
  /** @returns logits, the caller's own. // [labels] */
  classify(pooler_output: Float32Array): Float32Array;
}

/** A model of two halves, each loaded when it is first asked for. A load that fails is tried again. */
export interface VisionLanguageModel {
  /** The token that stands for an image in a rendered prompt. */
  readonly image_token_id: number;
  /** The most images that a prompt may have. */
  readonly max_images: number;
  /** The context length: image, prompt and answer together. */
  readonly max_position_embeddings: number;
  readonly vocab_size: number;
  /** Which halves hold their weights in memory. */
  readonly loaded: { readonly vision: boolean; readonly text: boolean };
  encoder(): Promise<ImageEncoder>;
  decoder(): Promise<Decoder>;
  /** Loaded apart from the halves. undefined: the model has none. */
  readonly classifier: (() => Promise<ImageClassifier>) | undefined;
}
