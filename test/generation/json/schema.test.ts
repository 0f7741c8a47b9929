import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { createAutomaton, type State } from '../../../src/generation/json/automaton.ts';
import { compileSchema } from '../../../src/generation/json/schema.ts';
import { randomNumbers } from '../../text/fixtures.ts';

const rules = { path: 'schema', strict: false };

function accepts(schema: unknown, text: string): boolean {
  const automaton = createAutomaton(compileSchema(schema, rules));
  const end = new TextEncoder()
    .encode(text)
    .reduce<State | undefined>((state, byte) => state && automaton.step(state, byte), automaton.start);
  return end?.complete ?? false;
}

const dog = {
  type: 'object',
  properties: { name: { type: 'string', maxLength: 3 }, age: { type: 'integer' }, good: { type: 'boolean' } },
  required: ['name'],
};

describe('texts that a schema takes, and texts that it does not', () => {
  test.each<[schema: unknown, taken: string[], refused: string[]]>([
    [dog, ['{"name":"Rex"}', '{"name": "Rex", "age": 3}', '{"name":"","age":-12,"good":true}'], ['{}', '{"name":"Rexx"}', '{"age":3,"name":"Rex"}', '{"name":"Rex",}', '{"name":"Rex","other":1}', '{"name":"Rex"} ']], // prettier-ignore
    [{ type: 'object', additionalProperties: false }, ['{}'], ['{"a":1}']],
    [{ type: 'object' }, ['{}', '{"a":{"b":[1,null]}}'], ['[]', '{a:1}', '{"a"}']],
    [{ required: ['a'] }, ['{"a":[]}'], ['{}', '{"b":1}']],
    [{ type: 'object', additionalProperties: { type: 'null' } }, ['{}', '{"a":null,"b":null}'], ['{"a":1}']],
    [{ type: 'array', items: { type: 'boolean' }, minItems: 1, maxItems: 2 }, ['[true]', '[true, false]'], ['[]', '[true,true,true]', '[true,]']], // prettier-ignore
    [{ type: 'array', maxItems: 0 }, ['[]'], ['[1]']],
    [{ type: 'string', minLength: 2, maxLength: 2 }, ['"ab"', '"\u{1f600}\u{1f600}"', '"\\n\\""'], ['"a"', '"abc"', '"a\nb"', '"\\x"']], // prettier-ignore
    [{ type: 'integer' }, ['0', '-7', '123456789012345'], ['01', '1.0', '-', '-0', '1e3', '1234567890123456']], // prettier-ignore
    [{ type: 'number' }, ['0', '-0.5', '3.140', '999999999.999999'], ['.5', '1.', '1e9', '1.1234567', '--1']],
    [{ type: 'number', minimum: 0, maximum: 1 }, ['0', '0.0', '0.25', '1', '1.000'], ['-0.1', '1.01', '2']],
    [{ type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 0.5 }, ['0.000001', '0.499999'], ['0', '0.0', '0.5']], // prettier-ignore
    [{ type: 'number', minimum: -1.5, maximum: -1e-3 }, ['-1.5', '-0.001'], ['0', '-0', '1', '-1.6', '-0.0001']], // prettier-ignore
    [{ type: 'integer', minimum: 95, maximum: 1007 }, ['95', '99', '100', '999', '1007'], ['94', '1008', '9']], // prettier-ignore
    [{ type: 'integer', exclusiveMinimum: 1.5, exclusiveMaximum: 4 }, ['2', '3'], ['1', '4']],
    [{ type: ['string', 'null'] }, ['"a"', 'null'], ['1', 'nul']],
    [{ enum: ['red', 'reddish', 1, 10] }, ['"red"', '"reddish"', '1', '10'], ['"redd"', '100', 'red']],
    [{ type: 'string', enum: ['a', 1] }, ['"a"'], ['1']],
    [{ const: { a: [1, 'é'] } }, ['{"a":[1,"é"]}'], ['{"a":[1, "é"]}', '{}']],
    [{ anyOf: [{ type: 'integer' }, { type: 'array', items: { type: 'integer' } }] }, ['1', '[1,2]'], ['[[1]]', '"1"']], // prettier-ignore
    [{ $defs: { 'a/b': { type: 'null' } }, type: 'array', items: { $ref: '#/$defs/a~1b' } }, ['[null]'], ['[1]']], // prettier-ignore
    [{}, ['1', '"a"', '{"a":[true]}', 'null'], ['', 'tru', '{']],
  ])('%j', (schema, taken, refused) => {
    const validate = new Ajv({ strict: false }).compile(schema as object);
    for (const text of taken) {
      expect(accepts(schema, text), text).toBe(true);
      expect(validate(JSON.parse(text)), text).toBe(true);
    }
    for (const text of refused) expect(accepts(schema, text), text).toBe(false);
  });
});

test('UTF-8 of every length is taken, and none that is not', () => {
  const automaton = createAutomaton(compileSchema({ type: 'string' }, rules));
  const reads = (bytes: readonly number[]): boolean => {
    const text = [0x22, ...bytes, 0x22];
    const end = text.reduce<State | undefined>((s, byte) => s && automaton.step(s, byte), automaton.start);
    return end?.complete ?? false;
  };
  const random = randomNumbers(3);
  for (let i = 0; i < 20_000; i++) {
    const [first = 0, ...rest] = Array.from({ length: 1 + Math.floor(random() * 4) }, () =>
      Math.floor(0x80 + random() * 0x80),
    );
    const bytes = [first, ...rest.map((byte) => (random() < 0.9 ? 0x80 | (byte & 0x3f) : byte))];
    let valid = true;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes));
    } catch {
      valid = false;
    }
    expect(reads(bytes), bytes.join()).toBe(valid);
  }
});

describe('what answers cannot be held to is refused by name', () => {
  test.each<[schema: unknown, param: string]>([
    [{ type: 'string', pattern: 'a+' }, 'schema.pattern'],
    [{ type: 'string', format: 'date' }, 'schema.format'],
    [{ type: 'number', multipleOf: 2 }, 'schema.multipleOf'],
    [{ type: 'array', uniqueItems: true }, 'schema.uniqueItems'],
    [{ type: 'array', prefixItems: [] }, 'schema.prefixItems'],
    [{ type: 'array', contains: {} }, 'schema.contains'],
    [{ type: 'object', patternProperties: {} }, 'schema.patternProperties'],
    [{ type: 'object', minProperties: 1 }, 'schema.minProperties'],
    [{ type: 'object', propertyNames: {} }, 'schema.propertyNames'],
    [{ oneOf: [{ type: 'null' }] }, 'schema.oneOf'],
    [{ allOf: [{ type: 'null' }] }, 'schema.allOf'],
    [{ not: { type: 'null' } }, 'schema.not'],
    [{ if: {}, then: {} }, 'schema.if'],
    [{ properties: { a: { items: { pattern: 'x' } } } }, 'schema.properties.a.items.pattern'],
    [{ anyOf: [{ type: 'null' }], minLength: 1 }, 'schema.minLength'],
    [{ enum: ['abc'], minLength: 1 }, 'schema.minLength'],
    [{ minLength: 3 }, 'schema.minLength'],
    [{ type: 'date' }, 'schema.type'],
    [{ type: 'string', enum: [1] }, 'schema.enum'],
    [{ type: 'string', minLength: 3, maxLength: 2 }, 'schema'],
    [{ type: 'array', items: { type: 'null' }, minItems: 3, maxItems: 2 }, 'schema'],
    [{ type: 'integer', minimum: 3, maximum: 2 }, 'schema'],
    [{ type: 'integer', minimum: 1e18 }, 'schema'],
    [{ type: 'number', minimum: 0.1234561, maximum: 0.1234562 }, 'schema'],
    [{ required: ['a'], additionalProperties: false }, 'schema.required'],
    [{ $ref: 'https://example.com/a.json' }, 'schema.$ref'],
    [{ $ref: '#/$defs/nowhere' }, 'schema.$ref'],
    [{ $defs: { tree: { type: 'array', items: { $ref: '#/$defs/tree' } } }, $ref: '#/$defs/tree' }, 'schema.$defs.tree.items.$ref'], // prettier-ignore
    [{ properties: { a: false } }, 'schema.properties.a'],
    [{ const: 'x'.repeat(10_000) }, 'schema.const'],
    [{ type: 'array', minItems: 1000, items: { type: 'array', minItems: 1000 } }, 'schema'],
  ])('%j', (schema, param) => {
    expect(() => compileSchema(schema, rules)).toThrow(
      expect.objectContaining({ code: 'invalid_json_schema', param }) as Error,
    );
  });
});

describe('strict, as OpenAI has it', () => {
  const strict = { path: 'schema', strict: true };
  const closed = { type: 'object', properties: { a: { type: 'null' } }, required: ['a'], additionalProperties: false }; // prettier-ignore

  test('takes closed objects with every property required', () => {
    expect(() => compileSchema(closed, strict)).not.toThrow();
  });

  test.each<[schema: unknown, param: string]>([
    [{ ...closed, additionalProperties: true }, 'schema.additionalProperties'],
    [{ ...closed, required: [] }, 'schema.required'],
    [{ ...closed, properties: { a: { type: 'object' } } }, 'schema.properties.a.additionalProperties'],
    [{ type: 'array', items: closed }, 'schema.type'],
    [{ anyOf: [closed] }, 'schema.type'],
  ])('%j is refused', (schema, param) => {
    expect(() => compileSchema(schema, strict)).toThrow(
      expect.objectContaining({ code: 'invalid_json_schema', param }) as Error,
    );
    expect(() => compileSchema(schema, rules)).not.toThrow();
  });
});

describe('small schemas that say very much', () => {
  /** d0, and each of the others twice in the one before. */
  const doubled = (depth: number, twice: (next: object) => unknown): object => ({
    $defs: {
      ...Object.fromEntries(
        Array.from({ length: depth }, (_, i) => [`d${i}`, twice({ $ref: `#/$defs/d${i + 1}` })]),
      ),
      [`d${depth}`]: { type: 'null' },
    },
    $ref: '#/$defs/d0',
  });
  const array = (items: object, maxItems: number): object => ({
    type: 'array',
    items,
    maxItems,
    minItems: 1,
  });

  test('what stands twice is there once', () => {
    expect(
      accepts(
        doubled(30, (next) => ({ anyOf: [next, next] })),
        'null',
      ),
    ).toBe(true);
  });

  test('alternatives of alternatives', () => {
    const schema = doubled(30, (next) => ({ anyOf: [{ anyOf: [next, { const: 1 }] }, next] }));
    expect(() => compileSchema(schema, rules)).toThrow('more than 1000 alternatives');
  });

  test('alternatives that begin alike, however long', () => {
    const schema = doubled(30, (next) => ({ anyOf: [array(next, 2), array(next, 3)] }));
    expect(() => accepts(schema, '['.repeat(30))).toThrow('too many of its alternatives begin alike');
  });

  test('schemas within schemas, and many names', () => {
    const deep = (depth: number): object =>
      Array.from({ length: depth }).reduce<object>((items) => ({ type: 'array', items }), { type: 'null' });
    expect(accepts(deep(90), `${'['.repeat(90)}null${']'.repeat(90)}`)).toBe(true);
    for (const depth of [101, 5000]) {
      expect(() => compileSchema(deep(depth), rules)).toThrow('nested more than 100 deep');
    }
    const named = (count: number): object => ({
      properties: Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, { type: 'null' }])),
    });
    expect(accepts(named(1000), '{"p7":null,"p999":null}')).toBe(true);
    expect(() => compileSchema(named(1001), rules)).toThrow('more than 1000 names');
  });
});
