type Random = () => number;

/** A JSON Schema of the covered subset, nested at most so deep. */
export function randomSchema(random: Random, depth: number): unknown {
  const kinds = depth > 0 ? [...LEAVES, 'object', 'array', 'anyOf', 'map', 'types'] : LEAVES;
  const below = (): unknown => randomSchema(random, depth - 1);
  switch (pick(random, kinds)) {
    case 'string':
      return { type: 'string', ...bounds(random, 'minLength', 'maxLength', 4) };
    case 'integer':
      return { type: 'integer', ...range(random, 1) };
    case 'number':
      return { type: 'number', ...range(random, 0.37) };
    case 'boolean':
      return { type: 'boolean', description: 'Yes or no.' };
    case 'null':
      return { type: 'null' };
    case 'enum':
      return { enum: ['red', 'reddish', '"\\\n\u2603\u{1f600}', 1, 10, 1.5, null, [1, { a: 'b' }]] };
    case 'const':
      return { const: { kind: 'dog', ears: [2] } };
    case 'any':
      return {};
    case 'object': {
      const names = NAMES.filter(() => random() < 0.5);
      return {
        type: 'object',
        properties: Object.fromEntries(names.map((name) => [name, below()])),
        required: names.filter(() => random() < 0.5),
        ...(random() < 0.5 ? { additionalProperties: false } : {}),
      };
    }
    case 'array':
      return { type: 'array', items: below(), ...bounds(random, 'minItems', 'maxItems', 3) };
    case 'anyOf':
      return { anyOf: [below(), below()] };
    case 'map':
      return { type: 'object', additionalProperties: below() };
    default:
      return { type: ['integer', 'string', 'null'], minLength: 2, maximum: 7 };
  }
}

const LEAVES = ['string', 'integer', 'number', 'boolean', 'null', 'enum', 'const', 'any'];
const NAMES = ['what', 'colour "of" it', 'count', 'größe', 'where'];

function bounds(random: Random, min: string, max: string, most: number): Record<string, number> {
  const low = Math.floor(random() * most);
  return {
    ...(random() < 0.5 ? { [min]: low } : {}),
    ...(random() < 0.5 ? { [max]: low + Math.floor(random() * most) } : {}),
  };
}

function range(random: Random, grain: number): Record<string, number> {
  const low = Math.round((random() - 0.5) * 400) * grain;
  return {
    ...(random() < 0.5 ? { [pick(random, ['minimum', 'exclusiveMinimum'])]: low } : {}),
    ...(random() < 0.5
      ? { [pick(random, ['maximum', 'exclusiveMaximum'])]: low + 2 + Math.floor(random() * 50) }
      : {}),
  };
}

function pick<T>(random: Random, options: readonly T[]): T {
  const option = options[Math.floor(random() * options.length)];
  if (option === undefined) throw new Error('nothing to pick from');
  return option;
}
