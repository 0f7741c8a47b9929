import * as z from 'zod';
import { commonFields, normalizationOf, pixels } from '../config-fields.ts';

const edge = z.strictObject({ longest_edge: pixels });

/**
 * The image processors of Idefics3 and SmolVLM: the picture resized until its longest edge is
 * `size.longest_edge`, cut into tiles of `max_image_size.longest_edge` squared, and once more whole in one tile.
 */
export const tilesSchema = z
  .strictObject({
    ...commonFields,
    image_processor_type: z.string(),
    size: edge,
    max_image_size: edge,
    do_image_splitting: z.boolean().default(true),
    // Empty images in the place of those that one prompt of a batch has more of than another.
    do_pad: z.unknown().optional(),
    // transformers' way to ask for the grid.
    return_row_col_info: z.unknown().optional(),
  })
  .transform((config, context) => ({
    kind: 'tiles' as const,
    ...normalizationOf(config, context),
    filter: config.resample,
    longest_edge: config.size.longest_edge,
    tile: config.max_image_size.longest_edge,
    split: config.do_image_splitting,
  }));

export type TilesConfig = z.output<typeof tilesSchema>;
