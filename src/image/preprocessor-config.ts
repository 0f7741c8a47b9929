import * as z from 'zod';
import { fixedSizeSchema } from './fixed-size-config.ts';
import { thumbnailSchema } from './thumbnail/config.ts';
import { tilesSchema } from './tiles/config.ts';

const TILED = /^(Idefics3|SmolVLM)ImageProcessor/;
const THUMBNAIL = /^Donut(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/;

/**
 * preprocessor_config.json, or what processor_config.json has as `image_processor`, with the names of
 * transformers' image processors: of Idefics3 and SmolVLM, which split pictures into tiles, of Donut, which makes
 * thumbnails of them, or else of those that make one image of one size. A field that is null is one that is not there.
 *
 * What is not honoured is an error: an unknown field, another filter, a picture that is not resized.
 */
export const preprocessorConfigSchema = z.record(z.string(), z.unknown()).transform((fields, context) => {
  const set = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
  const parsed = schemaOf(set.image_processor_type ?? set.feature_extractor_type).safeParse(set);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues) context.addIssue({ code: 'custom', path, message });
  return z.NEVER;
});

function schemaOf(type: unknown) {
  if (TILED.test(String(type))) return tilesSchema;
  return THUMBNAIL.test(String(type)) ? thumbnailSchema : fixedSizeSchema;
}

/** A preprocessor_config.json that was checked, in the terms of the work to do. */
export type PreprocessorConfig = z.output<typeof preprocessorConfigSchema>;
