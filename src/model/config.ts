import * as z from 'zod';
import { llamaConfigSchema } from './llama/config.ts';
import { projectorConfigSchema } from './projector.ts';
import { efficientNetLiteConfigSchema } from './vision/config.ts';
import { labelNamesConfigSchema, labelRows } from './vision/label-names.ts';

const schema = z.object({
  model_type: z.literal('glimpse'),
  image_token_id: z.int().nonnegative(),
  /** The labels of the vision tower's classifier by index, where the bundle has one. */
  id2label: z.record(z.string().regex(/^\d+$/), z.string()).optional(),
  vision_config: efficientNetLiteConfigSchema,
  projector_config: projectorConfigSchema,
  /** Where the decoder is told what the classifier sees. */
  label_names_config: labelNamesConfigSchema.optional(),
  text_config: llamaConfigSchema,
});

/** config.json of a bundle of the default architecture. */
export const glimpseConfigSchema = schema.refine(namesWhatIsThere, {
  path: ['label_names_config'],
  error: 'has a label that is not in id2label, or a token beyond vocab_size',
});
export type GlimpseConfig = z.infer<typeof glimpseConfigSchema>;

/** Rows of an image's image_embeds. */
export function imageTokens({ projector_config, label_names_config }: GlimpseConfig): number {
  return projector_config.num_image_tokens + (label_names_config ? labelRows(label_names_config) : 0);
}

function namesWhatIsThere({
  label_names_config,
  id2label = {},
  text_config,
}: z.infer<typeof schema>): boolean {
  if (label_names_config === undefined) return true;
  const { names, pad_token_id } = label_names_config;
  const tokens = [pad_token_id, ...names.flatMap(({ input_ids }) => input_ids)];
  return (
    tokens.every((id) => id < text_config.vocab_size) &&
    names.every(({ label_ids }) => label_ids.every((id) => String(id) in id2label))
  );
}
