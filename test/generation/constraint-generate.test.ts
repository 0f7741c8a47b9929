import { expect, test } from 'vitest';
import { beamSearch } from '../../src/generation/beam-search.ts';
import { generate } from '../../src/generation/generate.ts';
import { constrainToGrammar } from '../../src/generation/json/constraint.ts';
import { compileSchema } from '../../src/generation/json/schema.ts';
import { createTokenTrie } from '../../src/generation/json/token-trie.ts';
import { createTinyLlama, generationConfig, promptSequence } from './fixtures.ts';

// The tiny Llama's 64 ids as printable characters: 32 is "@", so letters, quote and brackets are among them.
const alphabet = Array.from('@abcdefghijklmnopqrstuvwxyz"[]{},:0123456789-. truefalsn');
const bytes = (id: number): Uint8Array | undefined =>
  alphabet[id] === undefined ? undefined : new TextEncoder().encode(alphabet[id]);
const END = 63;
const vocabulary = { trie: createTokenTrie(64, bytes), bytes, eos_token_id: [END] };
const schema = { type: 'array', items: { type: 'string', minLength: 2 }, minItems: 2 };
const constraint = constrainToGrammar(compileSchema(schema, { path: 'schema', strict: false }), vocabulary);
const textOf = (ids: readonly number[]): string => ids.map((id) => alphabet[id] ?? '?').join('');

test.each([11, 12, 20, 40])('greedy decoding closes its answer within %i tokens', async (max_new_tokens) => {
  const decoder = createTinyLlama();
  const config = generationConfig([END], { max_new_tokens });
  const prompt = promptSequence(decoder.create(48), [7, 21, 3]);
  const ids: number[] = [];
  for await (const { id } of generate(decoder, prompt, config, undefined, constraint)) ids.push(id);
  expect(JSON.parse(textOf(ids))).toBeInstanceOf(Array);
  expect(ids.length).toBeLessThanOrEqual(max_new_tokens);
});

test('an answer after which nothing can come has ended, within the limit or at it', async () => {
  const decoder = createTinyLlama();
  const prompt = promptSequence(decoder.create(48), [7, 21, 3]);
  const config = generationConfig([END], { max_new_tokens: constraint.shortest });
  const tokens = generate(decoder, prompt, config, undefined, constraint);
  let step = await tokens.next();
  while (!step.done) step = await tokens.next();
  expect(step.value).toBe('stop');
  expect(decoder.batches).toHaveLength(constraint.shortest); // none for the end
});

test.each([2, 4])('%i beams close their answers', async (num_beams) => {
  const decoder = createTinyLlama();
  const config = generationConfig([END], { num_beams, max_new_tokens: 16 });
  const prompt = promptSequence(decoder.create(48), [7, 21, 3]);
  const { ids, finish_reason } = await beamSearch(decoder, prompt, config, undefined, constraint);
  expect(JSON.parse(textOf(ids))).toBeInstanceOf(Array);
  expect(finish_reason).toBe('stop');
});
