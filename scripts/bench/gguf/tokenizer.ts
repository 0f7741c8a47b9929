import { z } from 'zod';
import type { GgufValue } from './gguf-file.ts';

const added = z.object({ id: z.int(), content: z.string() });
const schema = z.object({
  added_tokens: z.array(added),
  model: z.object({
    type: z.literal('BPE'),
    vocab: z.record(z.string(), z.int()),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
  }),
});

const NORMAL = 1; // of llama.h's llama_token_type
const CONTROL = 3;
const UNUSED = 5;

/**
 * A byte-level BPE's tokenizer.json in GGUF's metadata. llama.cpp loads no decoder without; the benchmark gives it
 * ids, so that how text is cut before the merges does not matter: `gpt-2`.
 */
export function tokenizerMetadata(
  tokenizer: unknown,
  vocab_size: number,
  eos_token_id: number,
): Readonly<Record<string, GgufValue>> {
  const { added_tokens, model } = schema.parse(tokenizer);
  const tokens = Array.from({ length: vocab_size }, (_, id) => `[PAD${id}]`);
  const types = tokens.map(() => UNUSED);
  for (const [token, id] of Object.entries(model.vocab)) [tokens[id], types[id]] = [token, NORMAL];
  for (const { id, content } of added_tokens) [tokens[id], types[id]] = [content, CONTROL];
  return {
    'tokenizer.ggml.model': { type: 'string', value: 'gpt2' },
    'tokenizer.ggml.pre': { type: 'string', value: 'gpt-2' },
    'tokenizer.ggml.tokens': { type: 'strings', value: tokens },
    'tokenizer.ggml.token_type': { type: 'i32s', value: types },
    'tokenizer.ggml.merges': {
      type: 'strings',
      value: model.merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' '))),
    },
    'tokenizer.ggml.eos_token_id': { type: 'u32', value: eos_token_id },
  };
}
