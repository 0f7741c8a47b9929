import { z } from 'zod';
import type { Architecture } from './architecture.ts';
import { clip, siglip } from './dual-encoders.ts';
import { glimpse } from './glimpse.ts';
import { idefics3 } from './idefics3.ts';
import { llava } from './llava.ts';

const ARCHITECTURES: Readonly<Record<string, (config: unknown) => Architecture>> = {
  glimpse,
  idefics3,
  smolvlm: idefics3,
  llava,
  clip,
  siglip,
};

/** Buffers that older versions of transformers saved with the weights. */
const USELESS = [/\.rotary_emb\.inv_freq$/, /\.embeddings\.position_ids$/];

/** @throws Error for a model_type that Glimpse does not run, or a field that it cannot read */
export function architectureOf(config: unknown): Architecture {
  const { model_type } = z.looseObject({ model_type: z.unknown().optional() }).parse(config);
  const make = typeof model_type === 'string' ? ARCHITECTURES[model_type] : undefined;
  if (make === undefined) {
    const known = Object.keys(ARCHITECTURES).join(', ');
    const given =
      typeof model_type === 'string' ? `the model_type ${model_type} is none` : 'has no model_type';
    throw new Error(`config.json: ${given} that Glimpse runs (${known}).`);
  }
  try {
    const architecture = make(config);
    requireRoom(architecture);
    return { ...architecture, useless: [...USELESS, ...architecture.useless] };
  } catch (cause) {
    if (cause instanceof z.ZodError) throw new Error(`config.json: ${z.prettifyError(cause)}`, { cause });
    throw cause;
  }
}

/** For a prompt, and an answer, behind one picture. */
function requireRoom({ decoder, imageTokens = 0 }: Architecture): void {
  if (decoder === undefined || imageTokens < decoder.max_position_embeddings) return;
  throw new Error(
    `config.json: a picture is ${imageTokens} tokens, and text_config.max_position_embeddings ` +
      `${decoder.max_position_embeddings} leaves no room for a prompt. Take both from the same model.`,
  );
}
