import * as z from 'zod';

const pixels = z.int().min(1).max(4096);
const byte = z.int().min(0).max(255);
const channels = z.tuple([z.number(), z.number(), z.number()]);
const positives = z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]);
const area = z.strictObject({ height: pixels, width: pixels });

/** PIL.Image.Resampling: those of its filters that are computed here. */
const RESAMPLE = { 2: 'bilinear', 3: 'bicubic' } as const;

/** Fields of transformers' base image processor that say nothing about the pixels. */
const labels = { image_processor_type: z.string(), processor_class: z.string() };

/**
 * preprocessor_config.json, with the names of transformers' image processors. Three ways to the
 * model's one size:
 * - `size: {height, width}`: resized to it, the aspect ratio ignored;
 * - `size: {shortest_edge}` with `do_center_crop` and `crop_size`: the middle of the picture;
 * - `do_pad` with `size: {height, width}` or `{longest_edge}`: the whole picture, centred on
 *   `background_color` (default: `image_mean`, which normalises to about 0).
 *
 * What is not honoured is an error: an unknown field, another filter, a picture that is not resized.
 */
export const preprocessorConfigSchema = z
  .strictObject({
    ...z.object(labels).partial().shape,
    do_convert_rgb: z.literal(true).default(true),
    do_resize: z.literal(true).default(true),
    size: z.union([
      area,
      z.strictObject({ shortest_edge: pixels }),
      z.strictObject({ longest_edge: pixels }),
    ]),
    resample: z.union([z.literal(2), z.literal(3)]),
    do_center_crop: z.boolean().default(false),
    crop_size: z.union([area, pixels.transform((edge) => ({ height: edge, width: edge }))]).optional(),
    do_pad: z.boolean().default(false),
    background_color: z.tuple([byte, byte, byte]).optional(),
    do_rescale: z.boolean().default(true),
    rescale_factor: z
      .number()
      .positive()
      .default(1 / 255),
    do_normalize: z.boolean().default(true),
    image_mean: channels.optional(),
    image_std: positives.optional(),
  })
  .transform((config, context) => {
    const fail = (path: string, message: string): never => {
      context.addIssue({ code: 'custom', path: [path], message });
      return z.NEVER;
    };
    const { size, crop_size, image_mean, image_std } = config;
    if (config.do_center_crop && config.do_pad) return fail('do_pad', 'cannot be used with do_center_crop');
    if (crop_size && !config.do_center_crop) return fail('crop_size', 'needs do_center_crop');
    if (config.background_color && !config.do_pad) return fail('background_color', 'needs do_pad');
    if (config.do_normalize && (!image_mean || !image_std)) {
      return fail('image_mean', 'do_normalize needs image_mean and image_std');
    }
    if (config.do_center_crop && !('shortest_edge' in size)) {
      return fail('size', 'do_center_crop needs size.shortest_edge');
    }

    const output = {
      filter: RESAMPLE[config.resample],
      do_pad: config.do_pad,
      background_color:
        config.background_color ?? (image_mean ?? [0, 0, 0]).map((mean) => Math.trunc(mean * 255)),
      scale: config.do_rescale ? config.rescale_factor : 1,
      mean: (config.do_normalize ? image_mean : undefined) ?? [0, 0, 0],
      std: (config.do_normalize ? image_std : undefined) ?? [1, 1, 1],
    };
    if ('shortest_edge' in size) {
      if (!crop_size) {
        return fail('size', 'shortest_edge needs do_center_crop and crop_size: the model has one size');
      }
      if (Math.max(crop_size.height, crop_size.width) > size.shortest_edge) {
        return fail('crop_size', 'must not be larger than size.shortest_edge');
      }
      return { ...output, shortest_edge: size.shortest_edge, canvas: crop_size };
    }
    if ('longest_edge' in size) {
      if (!config.do_pad) return fail('size', 'longest_edge needs do_pad: the model has one size');
      return {
        ...output,
        shortest_edge: null,
        canvas: { height: size.longest_edge, width: size.longest_edge },
      };
    }
    return { ...output, shortest_edge: null, canvas: size };
  });

/** A preprocessor_config.json that was checked, in the terms of the work to do. */
export type PreprocessorConfig = z.output<typeof preprocessorConfigSchema>;
