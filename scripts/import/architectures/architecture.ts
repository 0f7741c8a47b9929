import { z } from 'zod';
import type { TextTransformerConfig } from '../../../src/model/dual/config.ts';
import type { LlamaConfig } from '../../../src/model/llama/config.ts';
import type { VisionTransformerConfig } from '../../../src/model/vision/transformer-config.ts';
import type { Part } from '../modules.ts';
import { clip, siglip } from './dual-encoders.ts';
import { glimpse } from './glimpse.ts';
import { idefics3 } from './idefics3.ts';
import { llava } from './llava.ts';

/** What a config.json says that its checkpoint holds, and under which names. */
export interface Architecture {
  /** In the order of the bundle's shards. */
  readonly parts: readonly Part[];
  /** From a published name's start to the bundle's; the first that matches. */
  readonly names: readonly (readonly [RegExp, string])[];
  /** Published tensors that no computation reads. */
  readonly useless: readonly RegExp[];
  /** For the memory plan. */
  readonly vision?: VisionTransformerConfig;
  readonly decoder?: LlamaConfig;
  /** Rows that one picture (one tile of it) is in a prompt. */
  readonly imageTokens?: number;
  readonly textEncoder?: TextTransformerConfig;
}

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

/** Single tensors that transformers publishes without `.weight`. */
const BARE = /(^|\.)(class_embedding|probe|logit_scale|logit_bias)$/;

/** @returns the bundle's name of a published tensor; undefined: the architecture has none like it */
export function bundleName({ names }: Architecture, published: string): string | undefined {
  const rule = names.find(([pattern]) => pattern.test(published));
  return (
    rule &&
    published
      .replace(...rule)
      .replace(BARE, '$&.weight')
      .replace(/\.in_proj_(weight|bias)$/, '.in_proj.$1')
  );
}
