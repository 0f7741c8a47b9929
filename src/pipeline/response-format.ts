import { GlimpseError } from '../errors.ts';
import type { GenerationConfig } from '../generation/config.ts';
import { constrainToGrammar } from '../generation/json/constraint.ts';
import type { Grammar } from '../generation/json/grammar.ts';
import { compileSchema } from '../generation/json/schema.ts';
import { SCHEMA_PATH } from '../generation/json/schema-keywords.ts';
import { createTokenTrie, type TokenTrie } from '../generation/json/token-trie.ts';
import { anyObject } from '../generation/json/value.ts';
import type { TokenConstraint } from '../generation/token-constraint.ts';
import type { Tokenizer } from '../text/tokenizer.ts';

/** What form an answer must have, by OpenAI's names. */
export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | { readonly type: 'json_schema'; readonly schema: unknown; readonly strict: boolean };

/** @throws GlimpseError invalid_json_schema for what answers cannot be held to */
export function responseGrammar(format: ResponseFormat): Grammar | undefined {
  switch (format.type) {
    case 'text':
      return undefined;
    case 'json_object':
      return anyObject;
    case 'json_schema':
      return compileSchema(format.schema, { path: SCHEMA_PATH, strict: format.strict });
  }
}

/**
 * @param limit how many tokens the answer may have
 * @throws GlimpseError invalid_value if no answer of that form is short enough, or the tokenizer is of another kind
 */
export function constrainAnswer(
  grammar: Grammar,
  tokenizer: Tokenizer,
  vocab_size: number,
  { eos_token_id }: GenerationConfig,
  limit: number,
): TokenConstraint {
  if (!tokenizer.byte_level) {
    throw new GlimpseError(
      'unsupported_value',
      "response_format: this model's tokens are not bytes, so its answers can only be text",
      { param: 'response_format' },
    );
  }
  const bytes = (id: number): Uint8Array | undefined => tokenizer.bytes(id);
  const constraint = constrainToGrammar(grammar, {
    trie: trieOf(tokenizer, vocab_size),
    bytes,
    eos_token_id,
  });
  if (constraint.shortest <= limit) return constraint;
  throw new GlimpseError(
    'invalid_value',
    `The shortest answer that response_format allows needs ${constraint.shortest} tokens, and ${limit} are allowed: raise the limit or shorten prompt or schema.`,
    { param: 'max_new_tokens' },
  );
}

const tries = new WeakMap<Tokenizer, TokenTrie>();

function trieOf(tokenizer: Tokenizer, vocab_size: number): TokenTrie {
  const trie = tries.get(tokenizer) ?? createTokenTrie(vocab_size, (id) => tokenizer.bytes(id));
  tries.set(tokenizer, trie);
  return trie;
}
