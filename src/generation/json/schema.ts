import { choice, list, literal, type Grammar } from './grammar.ts';
import type { NumberRange } from './number-range.ts';
import { decimal, integer } from './number.ts';
import { object, record, type Property } from './object.ts';
import {
  invalidSchema,
  MOST,
  readKeywords,
  refuseBeside,
  type Keywords,
  type TypeName,
} from './schema-keywords.ts';
import { resolveReference } from './schema-reference.ts';
import { LONGEST, literals } from './schema-values.ts';
import { string } from './string.ts';
import { anyObject, anyValue } from './value.ts';

/** Schemas within schemas. Its compilation recurses, and answers of that depth fit no context. */
const DEEPEST = 100;

export interface SchemaRules {
  /** How errors name the schema. */
  readonly path: string;
  /** OpenAI's `strict`: an object at the root, and every object closed and all its properties required. */
  readonly strict: boolean;
}

/**
 * Texts that are valid by a JSON Schema, though not all of them: properties come in the schema's order
 * and no others, values of enum and const as JSON.stringify writes them, numbers within the limits of
 * number.ts.
 * @throws GlimpseError invalid_json_schema for what is not covered or cannot be satisfied
 */
export function compileSchema(schema: unknown, { path, strict }: SchemaRules): Grammar {
  const references = new Map<string, Grammar | 'open'>();

  let depth = 0;

  function compile(node: unknown, at: string): Grammar {
    if (depth === DEEPEST) throw invalidSchema(path, `it is nested more than ${DEEPEST} deep`);
    depth++;
    const grammar = node === true ? anyValue : compileKeywords(readKeywords(node, at), at);
    depth--;
    if (grammar.shortest.length > LONGEST) {
      throw invalidSchema(at, 'its shortest value is longer than any answer');
    }
    if ((grammar.alternatives ?? 1) > MOST) {
      throw invalidSchema(at, `it has more than ${MOST} alternatives, those of its alternatives counted`);
    }
    return grammar;
  }

  function compileKeywords(node: Keywords, at: string): Grammar {
    if (node.$ref !== undefined) {
      refuseBeside(node, '$ref', at);
      return reference(node.$ref, `${at}.$ref`);
    }
    if (node.anyOf) {
      refuseBeside(node, 'anyOf', at);
      return choice(...node.anyOf.map((option, index) => compile(option, `${at}.anyOf.${index}`)));
    }
    if ('const' in node) return literals([node.const], 'const', node, at);
    if (node.enum) return literals(node.enum, 'enum', node, at);
    return choice(...typesOf(node, at).map((type) => compileType(type, node, at)));
  }

  /** `#/$defs/Name`: a schema beside others under the root. Any other pointer leads there as well. */
  function reference(pointer: string, at: string): Grammar {
    const known = references.get(pointer);
    if (known === 'open') {
      throw invalidSchema(at, `${pointer} contains itself, which answers cannot be held to`);
    }
    if (known) return known;
    references.set(pointer, 'open');
    const grammar = compile(
      resolveReference(schema, pointer, at),
      `${path}${pointer.slice(1).replaceAll('/', '.')}`,
    );
    references.set(pointer, grammar);
    return grammar;
  }

  function compileType(type: TypeName, node: Keywords, at: string): Grammar {
    switch (type) {
      case 'object':
        return compileObject(node, at);
      case 'array': {
        const { minItems = 0, maxItems = Infinity, items = true } = node;
        if (minItems > maxItems) throw invalidSchema(at, 'minItems is over maxItems');
        return list('[', compile(items, `${at}.items`), ']', minItems, maxItems);
      }
      case 'string': {
        const { minLength = 0, maxLength = Infinity } = node;
        if (minLength > maxLength) throw invalidSchema(at, 'minLength is over maxLength');
        return string(minLength, maxLength);
      }
      case 'integer':
        return withinRange(integer, node, at);
      case 'number':
        return withinRange(decimal, node, at);
      case 'boolean':
        return choice(literal('true'), literal('false'));
      case 'null':
        return literal('null');
    }
  }

  function compileObject(node: Keywords, at: string): Grammar {
    const { properties = {}, required = [], additionalProperties = true } = node;
    if (strict) requireStrict(node, at);
    const names = [...new Set([...Object.keys(properties), ...required])];
    if (names.length === 0 && additionalProperties !== false) {
      return additionalProperties === true
        ? anyObject
        : record(compile(additionalProperties, `${at}.additionalProperties`));
    }
    const compiled = names.map((name): Property => {
      const declared = Object.hasOwn(properties, name);
      if (!declared && additionalProperties === false) {
        throw invalidSchema(`${at}.required`, `properties lacks "${name}", and no others are allowed`);
      }
      const value = declared
        ? compile(properties[name], `${at}.properties.${name}`)
        : compile(additionalProperties, `${at}.additionalProperties`);
      return { name, value, required: required.includes(name) };
    });
    return object(compiled);
  }

  if (strict && readKeywords(schema, path).type !== 'object') {
    throw invalidSchema(`${path}.type`, 'strict asks for type "object" at the root');
  }
  return compile(schema, path);
}

/** The types that a schema names or means; with no keyword at all it takes any value. */
function typesOf(node: Keywords, at: string): readonly TypeName[] {
  const { type } = node;
  if (type !== undefined) return typeof type === 'string' ? [type] : [...new Set(type)];
  if (node.properties || node.required) return ['object'];
  if (node.items !== undefined) return ['array'];
  refuseBeside(node, 'type', at); // a bound on values whose type is not said
  return ['object', 'array', 'string', 'number', 'boolean', 'null'];
}

function withinRange(numbers: (range: NumberRange) => Grammar, node: Keywords, at: string): Grammar {
  const { minimum = -Infinity, maximum = Infinity } = node;
  const { exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = node;
  try {
    return numbers({
      min: minimum,
      max: maximum,
      exclusive_min: exclusiveMinimum,
      exclusive_max: exclusiveMaximum,
    });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw invalidSchema(
      at,
      'no number of at most 9 digits and 6 decimals (an integer: 15 digits) is in its range',
    );
  }
}

function requireStrict({ properties = {}, required = [], additionalProperties }: Keywords, at: string): void {
  if (additionalProperties !== false) {
    throw invalidSchema(`${at}.additionalProperties`, 'strict asks for "additionalProperties": false');
  }
  const left = Object.keys(properties).find((name) => !required.includes(name));
  if (left !== undefined) throw invalidSchema(`${at}.required`, `strict asks for "${left}" to be required`);
}
