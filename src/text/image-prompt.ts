/** An image's embeddings, as far as a prompt tells of them. */
export interface ImageSpan {
  /** Rows of image_embeds. */
  readonly tokens: number;
  /** The tiles that the image was split into; [0, 0]: it was not. */
  readonly grid: readonly [rows: number, columns: number];
}

/** How a processor writes an image into a prompt, in the place of the one token that the template gives it. */
export interface ImagePrompt {
  /** What stands for an image in a rendered chat template, and for each row of its embeddings behind that. */
  readonly image_token: string;
  write(image: ImageSpan): string;
}

/** transformers' LlavaProcessor: the image token once for each row. */
export function plainImagePrompt(image_token: string): ImagePrompt {
  return { image_token, write: ({ tokens }) => image_token.repeat(tokens) };
}

/**
 * transformers' Idefics3Processor and SmolVLMProcessor (get_image_prompt_string): every tile is announced by
 * its row and column, and the whole image stands behind them. An image_seq_len of rows is a tile's.
 * @param tokens the special tokens that the tokenizer's files name, `image_token` and the like
 */
export function tiledImagePrompt(
  image_token: string,
  { fake_image_token = '<fake_token_around_image>', global_image_token = '<global-img>' }: TiledImageTokens,
): ImagePrompt {
  return {
    image_token,
    write({ tokens, grid: [rows, columns] }) {
      const tile = image_token.repeat(tokens / (rows * columns + 1));
      const row = (r: number): string =>
        numbers(columns)
          .map((c) => `${fake_image_token}<row_${r}_col_${c}>${tile}`)
          .join('') + '\n';
      const tiles = numbers(rows).map(row).join('');
      const whole = `${fake_image_token}${global_image_token}${tile}${fake_image_token}`;
      return tiles === '' ? whole : `${tiles}\n${whole}`;
    },
  };
}

export interface TiledImageTokens {
  readonly fake_image_token?: string | undefined;
  readonly global_image_token?: string | undefined;
}

/** 1 to `count`. */
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);
