import * as z from 'zod';

const labelNameSchema = z.object({
  name: z.string(),
  /** Classes of the classifier that it is the name of. */
  label_ids: z.array(z.int().nonnegative()).min(1),
  /** The name behind a space, by the bundle's tokenizer, no longer than `tokens_per_name`. */
  input_ids: z.array(z.int().nonnegative()).min(1),
});
/** What people call one class or several: "dog" for kuvasz and for beagle. */
export type LabelName = z.infer<typeof labelNameSchema>;

/** How a decoder was trained to read what the vision tower's classifier sees: as names behind the image. */
export const labelNamesConfigSchema = z.object({
  /** The most names that are told of an image. */
  max_names: z.int().positive(),
  /** Rows that each of them takes, filled up with `pad_token_id`. */
  tokens_per_name: z.int().positive(),
  pad_token_id: z.int().nonnegative(),
  /** What a name's classes have to reach together to be told. */
  least_probability: z.number().min(0).max(1),
  /** In the order of their first classes. */
  names: z.array(labelNameSchema).min(1),
});
export type LabelNamesConfig = z.infer<typeof labelNamesConfigSchema>;

/** Rows of image_embeds that tell names, used or not. */
export function labelRows({ max_names, tokens_per_name }: LabelNamesConfig): number {
  return max_names * tokens_per_name;
}

/**
 * The names to tell of an image, the likeliest first and equals in the order of `names`.
 * @param probabilities by class
 */
export function likelyNames(
  probabilities: Float64Array,
  { max_names, least_probability, names }: LabelNamesConfig,
): readonly LabelName[] {
  return names
    .map((name) => ({
      name,
      probability: name.label_ids.reduce((sum, id) => sum + (probabilities[id] ?? 0), 0),
    }))
    .filter(({ probability }) => probability >= least_probability)
    .sort((a, b) => b.probability - a.probability)
    .slice(0, max_names)
    .map(({ name }) => name);
}

/** What is told of an image as tokens, a name behind the other, each filled up. // [labelRows] */
export function nameTokens(
  told: readonly LabelName[],
  { max_names, tokens_per_name, pad_token_id }: LabelNamesConfig,
): readonly number[] {
  return Array.from({ length: max_names }, (_, slot) => {
    const input_ids = told[slot]?.input_ids ?? [];
    return Array.from({ length: tokens_per_name }, (_, t) => input_ids[t] ?? pad_token_id);
  }).flat();
}
