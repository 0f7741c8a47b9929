import * as z from 'zod';
import type { Normalization } from './pixel-values.ts';
import type { Filter } from './resize/coefficients.ts';

export const pixels = z.int().min(1).max(4096);
const channels = z.tuple([z.number(), z.number(), z.number()]);
const positives = z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]);

/** PIL.Image.Resampling: those of its filters that are computed here. */
const RESAMPLE: Record<1 | 2 | 3, Filter> = { 1: 'lanczos', 2: 'bilinear', 3: 'bicubic' };

/** Fields of published files that say nothing about an image's pixels. */
const SILENT = {
  // Of what else the repository is made, and which of transformers' arguments exist.
  processor_class: z.unknown().optional(),
  auto_map: z.unknown().optional(),
  _valid_processor_keys: z.unknown().optional(),
  // How transformers holds the result, and what it computes on.
  data_format: z.unknown().optional(),
  input_data_format: z.unknown().optional(),
  return_tensors: z.unknown().optional(),
  disable_grouping: z.unknown().optional(),
  device: z.unknown().optional(),
  use_fast: z.unknown().optional(),
  // What a size that is one number means: read from the class, which always says the same.
  default_to_square: z.unknown().optional(),
  // Of videos.
  video_sampling: z.unknown().optional(),
};

/** What all image processors have. */
export const commonFields = {
  ...SILENT,
  do_convert_rgb: z.literal(true).default(true),
  do_resize: z.literal(true).default(true),
  resample: z.union([z.literal(1), z.literal(2), z.literal(3)]).transform((filter) => RESAMPLE[filter]),
  do_rescale: z.boolean().default(true),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: channels.optional(),
  image_std: positives.optional(),
};

type Common = z.output<z.ZodObject<typeof commonFields>>;

/** Fails in `context` where it should normalise and does not say by what. */
export function normalizationOf(config: Common, context: z.RefinementCtx): Normalization {
  const { image_mean, image_std } = config;
  const scale = config.do_rescale ? config.rescale_factor : 1;
  if (!config.do_normalize) return { scale, mean: [0, 0, 0], std: [1, 1, 1] };
  if (image_mean && image_std) return { scale, mean: image_mean, std: image_std };
  const message = 'do_normalize needs image_mean and image_std';
  context.addIssue({ code: 'custom', path: ['image_mean'], message });
  return z.NEVER;
}
