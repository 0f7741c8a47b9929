import * as z from 'zod';
import { commonFields, normalizationOf, pixels } from './config-fields.ts';

const byte = z.int().min(0).max(255);
const area = z.strictObject({ height: pixels, width: pixels });
const square = pixels.transform((edge) => ({ height: edge, width: edge }));

/** The classes that read these fields alike. Files of 2022 and before call them feature extractors. */
const className = z
  .string()
  .regex(/^(ViT|DeiT|CLIP|Siglip|Llava)(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/, {
    error: ({ input }) => `${String(input)} is not known here`,
  });

/**
 * The image processors of ViT, CLIP, SigLIP and LLaVA: three ways to the model's one size.
 * - `size: {height, width}`: resized to it, the aspect ratio ignored; DeiT's `do_center_crop` keeps its middle;
 * - `size: {shortest_edge}` with `do_center_crop` and `crop_size`: the middle of the picture;
 * - `do_pad` with `size: {height, width}` or `{longest_edge}`: the whole picture, centred on
 *   `background_color` (default: `image_mean`, which normalises to about 0).
 */
export const fixedSizeSchema = z
  .strictObject({
    ...commonFields,
    image_processor_type: className.optional(),
    feature_extractor_type: className.optional(),
    size: z.union([
      pixels,
      area,
      z.strictObject({ shortest_edge: pixels }),
      z.strictObject({ longest_edge: pixels }),
    ]),
    do_center_crop: z.boolean().optional(),
    crop_size: z.union([area, square]).optional(),
    do_pad: z.boolean().default(false),
    background_color: z.tuple([byte, byte, byte]).optional(),
  })
  .transform((config, context) => {
    const fail = (path: string, message: string): never => {
      context.addIssue({ code: 'custom', path: [path], message });
      return z.NEVER;
    };
    const { crop_size, image_mean } = config;
    const type = config.image_processor_type ?? config.feature_extractor_type ?? '';
    const size = typeof config.size === 'number' ? sizeOf(config.size, type) : config.size;
    if (config.do_center_crop && config.do_pad) return fail('do_pad', 'cannot be used with do_center_crop');
    // Published files that say no to it have a crop_size all the same: TrOCR's.
    if (crop_size && config.do_center_crop === undefined) return fail('crop_size', 'needs do_center_crop');
    if (config.background_color && !config.do_pad) return fail('background_color', 'needs do_pad');
    if (config.do_center_crop === undefined && type.startsWith('DeiT')) {
      return fail('do_center_crop', 'is missing: the class crops unless it is false');
    }
    const crop = config.do_center_crop ? crop_size : undefined;
    if (config.do_center_crop && !crop) return fail('crop_size', 'is missing: do_center_crop needs it');
    const output = {
      kind: 'fixed' as const,
      ...normalizationOf(config, context),
      filter: config.resample,
      do_pad: config.do_pad,
      background_color:
        config.background_color ?? (image_mean ?? [0, 0, 0]).map((mean) => Math.trunc(mean * 255)),
      shortest_edge: null,
    };
    if ('shortest_edge' in size) {
      const { shortest_edge } = size;
      if (!crop) {
        return fail('size', 'shortest_edge needs do_center_crop and crop_size: the model has one size');
      }
      if (Math.max(crop.height, crop.width) > shortest_edge) {
        return fail('crop_size', 'must not be larger than size.shortest_edge');
      }
      return { ...output, shortest_edge, stretched: crop, canvas: crop };
    }
    if ('longest_edge' in size) {
      if (!config.do_pad) return fail('size', 'longest_edge needs do_pad: the model has one size');
      const canvas = { height: size.longest_edge, width: size.longest_edge };
      return { ...output, stretched: canvas, canvas };
    }
    if (crop && (crop.height > size.height || crop.width > size.width)) {
      return fail('crop_size', 'must not be larger than size');
    }
    return { ...output, stretched: size, canvas: crop ?? size };
  });

/** A size that is one number, as older files have it, is CLIP's shortest edge, and a square elsewhere. */
function sizeOf(edge: number, type: string) {
  return /^(CLIP|Llava)/.test(type) ? { shortest_edge: edge } : { height: edge, width: edge };
}

export type FixedSizeConfig = z.output<typeof fixedSizeSchema>;
