import * as z from 'zod';
import { commonFields, normalizationOf, pixels } from '../config-fields.ts';

/** Files of 2022 have the width first. */
const widthFirst = z.tuple([pixels, pixels]).transform(([width, height]) => ({ height, width }));

/**
 * The image processor of Donut: the whole picture within `size`, in the middle of black. With
 * `do_align_long_axis` it is turned first where it lies and `size` stands, or the other way round.
 */
export const thumbnailSchema = z
  .strictObject({
    ...commonFields,
    image_processor_type: z.string().optional(),
    feature_extractor_type: z.string().optional(),
    size: z.union([z.strictObject({ height: pixels, width: pixels }), widthFirst]),
    do_thumbnail: z.literal(true).default(true),
    do_pad: z.literal(true).default(true),
    do_align_long_axis: z.boolean().default(false),
    random_padding: z.literal(false).optional(),
    do_center_crop: z.literal(false).optional(),
  })
  .transform((config, context) => ({
    kind: 'thumbnail' as const,
    ...normalizationOf(config, context),
    filter: config.resample,
    canvas: config.size,
    align_long_axis: config.do_align_long_axis,
  }));

export type ThumbnailConfig = z.output<typeof thumbnailSchema>;
