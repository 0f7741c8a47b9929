import {
  COLON,
  COMMA,
  grammarId,
  list,
  literal,
  sequence,
  type Grammar,
  type Place,
  type Rest,
} from './grammar.ts';
import { string } from './string.ts';

export interface Property {
  readonly name: string;
  readonly value: Grammar;
  readonly required: boolean;
}

/** An object of these properties, in this order; those not required may be left out. */
export function object(properties: readonly Property[]): Grammar {
  const id = grammarId();
  const opening = literal('{');
  const closing = literal('}');
  const members = properties.map(({ name, value }) => sequence(literal(JSON.stringify(name)), COLON, value));
  const following = members.map((member) => sequence(COMMA, member));

  const shortestFrom = (index: number, first: boolean): string =>
    members
      .filter((_, i) => i >= index && properties[i]?.required)
      .map(({ shortest }, i) => (first && i === 0 ? shortest : `,${shortest}`))
      .join('') + '}';

  /** Before the members from that index on, of which all up to the next required one may come. */
  function from(index: number, first: boolean, rest: Rest): readonly Place[] {
    const required = properties.findIndex((property, i) => i >= index && property.required);
    const options = (first ? members : following).slice(index, required < 0 ? undefined : required + 1);
    return [
      ...options.flatMap((option, i) => option.enter(after(index + i + 1, false, rest))),
      ...(required < 0 ? closing.enter(rest) : []),
    ];
  }

  const after = (index: number, first: boolean, rest: Rest): Rest => ({
    key: `${id}.${first ? '' : index}|${rest.key}`,
    enter: () => from(index, first, rest),
    shortest: shortestFrom(index, first) + rest.shortest,
  });
  return { shortest: `{${shortestFrom(0, true)}`, enter: (rest) => opening.enter(after(0, true, rest)) };
}

/** An object of any names, all values alike. */
export function record(value: Grammar): Grammar {
  return list('{', sequence(string(), COLON, value), '}');
}
