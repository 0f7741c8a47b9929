/**
 * What a vision-language model is to the rest of Glimpse, whichever engine runs it. Names and
 * shapes are those of Hugging Face transformers.
 */

/**
 * How an image was split: into rows times columns tiles, row by row in the batch, with the whole image
 * behind them. [0, 0]: it was not, and is the batch.
 */
export type Grid = readonly [rows: number, columns: number];

/** An image as the image processor gives it: a batch of one, or of its tiles and itself. */
export interface PixelValues {
  readonly shape: readonly [batch: number, channels: number, height: number, width: number];
  readonly grid: Grid;
  /** One of the batch, made when it is asked for, the caller's own: all at once are 53 MB. // [channels, height, width] */
  read(index: number): Float32Array;
}

/** An image as the decoder reads it: a row an image token, in the decoder's hidden width, tile by tile. */
export interface ImageEmbeds {
  readonly data: Float32Array; // [tokens, hidden]
  readonly shape: readonly [tokens: number, hidden: number];
  readonly grid: Grid;
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
  /** What the keys and values of one position take, in bytes. */
  readonly bytes_per_position: number;
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
  /**
   * The token that stands for an image in a rendered prompt. undefined: the decoder reads images by cross
   * attention, so that they have no place in a prompt and take no positions of the context.
   */
  readonly image_token_id: number | undefined;
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

/** The text half of a dual encoder. */
export interface TextEmbedder {
  /** @returns text_embeds of one text, of length 1, the caller's own. // [projection_dim] */
  embed(input_ids: readonly number[]): Float32Array;
  /** @returns logits_per_image of one image: what the model makes of cosines. // [texts] */
  logits(image_embeds: Float32Array, text_embeds: readonly Float32Array[]): Float32Array;
}

/**
 * A model of images and texts in one space, which generates nothing (CLIP: Radford et al., 2021; SigLIP: Zhai et
 * al., 2023). Two halves, each loaded when it is first asked for. A load that fails is tried again.
 */
export interface DualEncoder {
  readonly projection_dim: number;
  /** The most tokens of a text, those included that the tokenizer puts around it. */
  readonly max_position_embeddings: number;
  /** How transformers' processor fills up a text: with the tokenizer's pad token, or not at all. */
  readonly padding: 'max_length' | 'do_not_pad';
  /** What makes probabilities of logits_per_image: texts exclude each other, or each is true or not. */
  readonly activation: 'softmax' | 'sigmoid';
  /** Which halves hold their weights in memory. */
  readonly loaded: { readonly vision: boolean; readonly text: boolean };
  /** Its image_embeds are one row of length 1. // [1, projection_dim] */
  encoder(): Promise<ImageEncoder>;
  text_embedder(): Promise<TextEmbedder>;
}
