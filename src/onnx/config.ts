import * as z from 'zod';
import { GlimpseError } from '../errors.ts';

const size = z.int().positive();
const token = z.int().nonnegative();

/** Published as image_token_index by older versions of transformers. */
const prefixConfig = z
  .object({
    model_type: z.enum(['llava', 'idefics3', 'smolvlm']),
    image_token_id: token.optional(),
    image_token_index: token.optional(),
    text_config: z.object({ vocab_size: size, max_position_embeddings: size }),
  })
  .transform(({ image_token_id, image_token_index, text_config }, context) => {
    const id = image_token_id ?? image_token_index;
    if (id !== undefined) return { family: 'prefix', image_token_id: id, decoder: text_config } as const;
    context.addIssue({ code: 'custom', path: ['image_token_id'], message: 'is missing' });
    return z.NEVER;
  });

const encoderDecoderConfig = z
  .object({
    model_type: z.literal('vision-encoder-decoder'),
    encoder: z.object({ hidden_size: size }),
    decoder: z.object({
      vocab_size: size,
      max_position_embeddings: size.optional(),
      n_positions: size.optional(), // GPT-2's name for it
    }),
  })
  .transform(({ encoder, decoder }, context) => {
    const { vocab_size, max_position_embeddings = decoder.n_positions } = decoder;
    if (max_position_embeddings !== undefined) {
      const { hidden_size } = encoder;
      return {
        family: 'cross-attention',
        hidden_size,
        decoder: { vocab_size, max_position_embeddings },
      } as const;
    }
    context.addIssue({ code: 'custom', path: ['decoder', 'max_position_embeddings'], message: 'is missing' });
    return z.NEVER;
  });

/** config.json of a model in transformers.js' layout, as its author published it: what of it is needed to run it. */
export type OnnxConfig = z.output<typeof prefixConfig> | z.output<typeof encoderDecoderConfig>;

/** What the graphs of each family are called. */
export const GRAPHS = {
  prefix: ['vision_encoder', 'embed_tokens', 'decoder_model_merged'],
  'cross-attention': ['encoder_model', 'decoder_model_merged'],
} as const;

export type GraphName = (typeof GRAPHS)[OnnxConfig['family']][number];

/**
 * @param id the bundle's, for errors
 * @throws GlimpseError bundle_invalid
 */
export function readConfig(json: unknown, id: string): OnnxConfig {
  const { model_type } = z.looseObject({ model_type: z.unknown().optional() }).parse(json);
  const schema = model_type === 'vision-encoder-decoder' ? encoderDecoderConfig : prefixConfig;
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new GlimpseError('bundle_invalid', `config.json of ${id}: ${z.prettifyError(parsed.error)}`);
}
