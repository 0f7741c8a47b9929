import * as z from 'zod';
import { llamaConfigSchema } from './llama/config.ts';
import { projectorConfigSchema } from './projector.ts';
import { efficientNetLiteConfigSchema } from './vision/config.ts';

/** config.json of a bundle of the default architecture. */
export const glimpseConfigSchema = z.object({
  model_type: z.literal('glimpse'),
  image_token_id: z.int().nonnegative(),
  /** The labels of the vision tower's classifier by index, where the bundle has one. */
  id2label: z.record(z.string().regex(/^\d+$/), z.string()).optional(),
  vision_config: efficientNetLiteConfigSchema,
  projector_config: projectorConfigSchema,
  text_config: llamaConfigSchema,
});
export type GlimpseConfig = z.infer<typeof glimpseConfigSchema>;
