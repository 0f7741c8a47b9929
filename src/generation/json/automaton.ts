import { COMPLETE, END, type Grammar, type Place } from './grammar.ts';
import { invalidSchema, SCHEMA_PATH } from './schema-keywords.ts';

/** All places at which a text read so far may stand. One object for each set of them. */
export interface State {
  readonly places: readonly Place[];
  /** Whether the text is whole. */
  readonly complete: boolean;
}

/** A grammar as a deterministic automaton, built as far as it is walked. */
export interface Automaton {
  readonly start: State;
  /** @returns undefined where the byte cannot come */
  step(state: State, byte: number): State | undefined;
  /** A shortest text, or nearly, that makes the text whole. Each of its ends is the completion of the state before it. */
  completion(state: State): string;
}

/** Places of one state. A choice of values has a thousand; anyOf of arrays in arrays would have twice as many at every `[`. */
const MOST_PLACES = 4096;

export function createAutomaton(grammar: Grammar): Automaton {
  const states = new Map<string, State>();
  const steps = new Map<State, (State | null | undefined)[]>(); // [256]; null: no way
  const completions = new Map<State, string>();

  function intern(reached: readonly Place[]): State {
    const places = new Map(reached.map((place) => [place.key, place]));
    const key = [...places.keys()].sort().join('\n');
    const known = states.get(key);
    if (known) return known;
    if (places.size > MOST_PLACES) {
      throw invalidSchema(SCHEMA_PATH, 'too many of its alternatives begin alike');
    }
    const state = { places: [...places.values()], complete: places.has(COMPLETE.key) };
    states.set(key, state);
    steps.set(state, []);
    return state;
  }

  function step(state: State, byte: number): State | undefined {
    const row = steps.get(state) ?? [];
    const known = row[byte];
    if (known !== undefined) return known ?? undefined;
    const reached = state.places.flatMap((place) => place.next(byte));
    const next = reached.length === 0 ? undefined : intern(reached);
    row[byte] = next ?? null;
    return next;
  }

  /** By its successors', not by the places' own: so that its ends are theirs. */
  function completion(state: State): string {
    const path: { readonly state: State; readonly byte: string }[] = [];
    let at = state;
    while (!at.complete && !completions.has(at)) {
      const shortest = at.places
        .map((place) => place.shortest)
        .reduce((a, b) => (b.length < a.length ? b : a));
      const next = step(at, shortest.charCodeAt(0));
      if (next === undefined) throw new Error('a place cannot read its own shortest text');
      path.push({ state: at, byte: shortest.slice(0, 1) });
      at = next;
    }
    return path.reduceRight(
      (text, { state, byte }) => {
        completions.set(state, byte + text);
        return byte + text;
      },
      completions.get(at) ?? '',
    );
  }

  return { start: intern(grammar.enter(END)), step, completion };
}
