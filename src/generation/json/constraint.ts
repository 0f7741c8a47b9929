import type { TokenConstraint } from '../token-constraint.ts';
import { createAutomaton, type State } from './automaton.ts';
import type { Grammar } from './grammar.ts';
import type { TokenTrie } from './token-trie.ts';

export interface ConstrainedVocabulary {
  readonly trie: TokenTrie;
  readonly bytes: (id: number) => Uint8Array | undefined;
  readonly eos_token_id: readonly number[];
}

/** A token that may come, and where it leads. */
interface Step {
  readonly id: number;
  readonly state: State;
}

/**
 * Lets pass the tokens whose bytes the grammar takes. What a state allows is worked out when the state
 * is first met (Willard and Louf, arXiv 2307.09702), by walking vocabulary and grammar together.
 */
export function constrainToGrammar(
  grammar: Grammar,
  { trie, bytes, eos_token_id }: ConstrainedVocabulary,
): TokenConstraint {
  const automaton = createAutomaton(grammar);
  const steps = new Map<State, readonly Step[]>();
  const costs = new Map<State, number>();

  function stateAfter(ids: readonly number[]): State {
    return ids.reduce((state, id) => {
      const next = (bytes(id) ?? new Uint8Array()).reduce<State | undefined>(
        (at, byte) => at && automaton.step(at, byte),
        state,
      );
      if (next === undefined) throw new Error(`token ${id} was masked and came all the same`);
      return next;
    }, automaton.start);
  }

  function stepsFrom(state: State): readonly Step[] {
    const known = steps.get(state);
    if (known) return known;
    const found: Step[] = [];
    const walk = (at: State, node: TokenTrie): void => {
      for (const id of node.ids) found.push({ id, state: at });
      for (const [byte, child] of node.children) {
        const next = automaton.step(at, byte);
        if (next) walk(next, child);
      }
    };
    walk(state, trie);
    steps.set(state, found);
    return found;
  }

  /** The fewest tokens that make the state's own completion: one of them always leads to a state of one less. */
  function cost(state: State): number {
    const known = costs.get(state);
    if (known !== undefined) return known;
    const fewest = fewestTokens(automaton.completion(state), trie);
    costs.set(state, fewest);
    return fewest;
  }

  return {
    shortest: cost(automaton.start),
    mask(ids, limit, logits) {
      const state = stateAfter(ids);
      const left = limit - ids.length - 1; // after the token that this step decides
      const unmasked = logits.slice();
      logits.fill(-Infinity);
      for (const { id, state: next } of stepsFrom(state)) {
        if (cost(next) <= left) logits[id] = unmasked[id] ?? -Infinity;
      }
      if (state.complete) for (const id of eos_token_id) logits[id] = unmasked[id] ?? -Infinity;
    },
    ended(ids) {
      const state = stateAfter(ids);
      return state.complete && stepsFrom(state).length === 0;
    },
  };
}

/** How many tokens a text takes when cut into the fewest; Infinity if tokens cannot write it. */
function fewestTokens(text: string, trie: TokenTrie): number {
  const fewest = new Array<number>(text.length + 1).fill(Infinity); // from that index to the end
  fewest[text.length] = 0;
  for (let from = text.length - 1; from >= 0; from--) {
    let node: TokenTrie | undefined = trie;
    for (let to = from; to < text.length && node; to++) {
      node = node.children.get(text.charCodeAt(to));
      if (node && node.ids.length > 0) {
        fewest[from] = Math.min(fewest[from] ?? Infinity, 1 + (fewest[to + 1] ?? Infinity));
      }
    }
  }
  return fewest[0] ?? Infinity;
}
