import * as z from 'zod';

const positive = z.number().positive();
const common = z.object({
  rope_theta: positive.nullish(),
  partial_rotary_factor: z.literal(1).nullish(),
});
const stretched = common.extend({ factor: z.number().min(1) });
/** null: max_position_embeddings. */
const original_max_position_embeddings = z.int().positive().nullish();

const byType = z.discriminatedUnion('rope_type', [
  common.extend({ rope_type: z.enum(['default', 'dynamic']) }),
  stretched.extend({ rope_type: z.literal('linear') }),
  stretched.extend({
    rope_type: z.literal('llama3'),
    low_freq_factor: positive,
    high_freq_factor: positive,
    original_max_position_embeddings,
  }),
  stretched.extend({
    rope_type: z.literal('yarn'),
    attention_factor: positive.nullish(),
    beta_fast: positive.nullish(),
    beta_slow: positive.nullish(),
    mscale: z.number().nullish(),
    mscale_all_dim: z.number().nullish(),
    truncate: z.boolean().default(true),
    original_max_position_embeddings,
  }),
]);

/**
 * rope_scaling or rope_parameters of config.json: how rotary embeddings are stretched over more positions than a
 * model was first trained on. `dynamic` begins behind max_position_embeddings, where contexts end here.
 */
export const ropeScalingSchema = z
  .looseObject({ rope_type: z.string().optional(), type: z.string().optional() }) // `type` until transformers 4.43
  .transform(({ type = 'default', rope_type = type, ...rest }) => ({ ...rest, rope_type }))
  .pipe(byType);
export type RopeScaling = z.infer<typeof ropeScalingSchema>;
