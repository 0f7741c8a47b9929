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
  const { model_type } = z.looseObject({ model_type: z.string() }).parse(config);
  const make = ARCHITECTURES[model_type];
  if (make === undefined) {
    const known = Object.keys(ARCHITECTURES).join(', ');
    throw new Error(`config.json: the model_type ${model_type} is none that Glimpse runs (${known}).`);
  }
  try {
    const architecture = make(config);
    return { ...architecture, useless: [...USELESS, ...architecture.useless] };
  } catch (cause) {
    if (cause instanceof z.ZodError) throw new Error(`config.json: ${z.prettifyError(cause)}`, { cause });
    throw cause;
  }
}
