import type { TextTransformerConfig } from '../../../src/model/dual/config.ts';
import type { LlamaConfig } from '../../../src/model/llama/config.ts';
import type { VisionTransformerConfig } from '../../../src/model/vision/transformer-config.ts';
import type { Part } from '../modules.ts';

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
