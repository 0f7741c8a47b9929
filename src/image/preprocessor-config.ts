import * as z from 'zod';
import { fixedSizeSchema } from './fixed-size-config.ts';
import { tilesSchema } from './tiles/config.ts';

const TILED = /^(Idefics3|SmolVLM)ImageProcessor/;

/**
 * preprocessor_config.json, or what processor_config.json has as `image_processor`, with the names of
 * transformers' image processors: of Idefics3 and SmolVLM, which split pictures into tiles, or else of those
 * that make one image of one size. A field that is null is one that is not there.
 *
 * What is not honoured is an error: an unknown field, another filter, a picture that is not resized.
 */
export const preprocessorConfigSchema = z.record(z.string(), z.unknown()).transform((fields, context) => {
  const set = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
  const schema = TILED.test(String(set.image_processor_type)) ? tilesSchema : fixedSizeSchema;
  const parsed = schema.safeParse(set);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues) context.addIssue({ code: 'custom', path, message });
  return z.NEVER;
});

/** A preprocessor_config.json that was checked, in the terms of the work to do. */
export type PreprocessorConfig = z.output<typeof preprocessorConfigSchema>;
