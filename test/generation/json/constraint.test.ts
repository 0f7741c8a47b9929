import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { constrainToGrammar } from '../../../src/generation/json/constraint.ts';
import type { Grammar } from '../../../src/generation/json/grammar.ts';
import { compileSchema } from '../../../src/generation/json/schema.ts';
import { createTokenTrie } from '../../../src/generation/json/token-trie.ts';
import { anyObject } from '../../../src/generation/json/value.ts';
import type { TokenConstraint } from '../../../src/generation/token-constraint.ts';
import { createBundleTokenizer, randomNumbers } from '../../text/fixtures.ts';
import { randomSchema } from './random-schema.ts';

const VOCAB_SIZE = 4096;
const END = 3;
const tokenizer = createBundleTokenizer();
const bytes = (id: number) => tokenizer.bytes(id);
const trie = createTokenTrie(VOCAB_SIZE, bytes);
const rules = { path: 'schema', strict: false };

const constrain = (grammar: Grammar): TokenConstraint =>
  constrainToGrammar(grammar, { trie, bytes, eos_token_id: [END] });

/** What a model would say whose logits are noise, and noise in which it wishes to end or never to. */
function babble(constraint: TokenConstraint, limit: number, random: () => number, endLogit: number): string {
  const ids: number[] = [];
  while (ids.length < limit) {
    const logits = Float32Array.from({ length: VOCAB_SIZE }, random);
    logits[END] = endLogit;
    constraint.mask(ids, limit, logits);
    const best = logits.reduce((top, logit, id) => (logit > (logits[top] ?? 0) ? id : top), 0);
    if (!Number.isFinite(logits[best])) throw new Error(`no token may follow ${tokenizer.decode(ids)}`);
    if (best === END) break;
    ids.push(best);
    if (constraint.ended(ids)) break;
  }
  return tokenizer.decode(ids);
}

describe('whatever the logits, the answer parses and validates', () => {
  test.each(Array.from({ length: 100 }, (_, seed) => seed))('random schema %i', (seed) => {
    const random = randomNumbers(seed);
    const schema = randomSchema(random, 3);
    const constraint = constrain(compileSchema(schema, rules));
    const validate = new Ajv({ strict: false }).compile(schema as object);
    for (const room of [0, 1, 40]) {
      for (const endLogit of [0, 1]) {
        const text = babble(constraint, constraint.shortest + room, random, endLogit);
        const value: unknown = JSON.parse(text);
        if (!validate(value)) expect.fail(`${JSON.stringify(schema)} got ${text}`);
      }
    }
  });

  test('any object', () => {
    const constraint = constrain(anyObject);
    for (let seed = 0; seed < 50; seed++) {
      const value: unknown = JSON.parse(babble(constraint, 2 + seed, randomNumbers(seed), 0));
      expect(value).toBeTypeOf('object');
    }
  });
});

test('the answers are not all the shortest ones: noise fills its room', () => {
  const constraint = constrain(compileSchema({ type: 'array', items: { type: 'string' } }, rules));
  const text = babble(constraint, 60, randomNumbers(1), 0);
  expect(text.length).toBeGreaterThan(100);
});

describe('the end', () => {
  const number = constrain(compileSchema({ type: 'integer', minimum: 12, maximum: 129 }, rules));
  const ids = (text: string): number[] => tokenizer.encode(text);

  test('may come where the answer is whole, and other tokens too where it could go on', () => {
    const after = (text: string): number[] => {
      const logits = new Float32Array(VOCAB_SIZE);
      number.mask(ids(text), 20, logits);
      return [...logits.keys()].filter((id) => Number.isFinite(logits[id]));
    };
    expect(after('1')).not.toContain(END);
    expect(after('12')).toContain(END);
    expect(after('12').map((id) => tokenizer.decode([id])).sort()).toEqual(['', ...Array.from('0123456789')]); // prettier-ignore
    expect(after('13')).toEqual([END]);
  });

  test('is known where nothing else can follow', () => {
    expect([['1'], ['12'], ['13'], ['129']].map(([text = '']) => number.ended(ids(text)))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });
});

test('shortest is the fewest tokens, not bytes', () => {
  const schema = { const: { 'A dog runs': 'in the grass' } };
  const constraint = constrain(compileSchema(schema, rules));
  const text = JSON.stringify(schema.const);
  expect(constraint.shortest).toBeLessThan(text.length / 2);
  expect(babble(constraint, constraint.shortest, randomNumbers(1), 0)).toBe(text);
});

test('a mask for a state seen before is fast', () => {
  const constraint = constrain(anyObject);
  const ids = tokenizer.encode('{"caption": "A dog runs');
  const logits = new Float32Array(VOCAB_SIZE);
  constraint.mask(ids, 200, logits);
  const from = performance.now();
  for (let i = 0; i < 50; i++) constraint.mask(ids, 200, logits);
  expect((performance.now() - from) / 50).toBeLessThan(5); // milliseconds
});
