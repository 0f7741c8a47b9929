import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { mersenne } from 'pure-rand/generator/mersenne';
import type { GenerationConfig } from './config.ts';
import { softmax } from './softmax.ts';

/** How one token is taken from processed logits. // [vocab_size] */
export type ChooseToken = (logits: Float32Array) => number;

export function createChooseToken({ do_sample, seed }: GenerationConfig): ChooseToken {
  return do_sample ? multinomial(seed ?? randomSeed()) : argmax;
}

/** The likeliest token; the first of equals. A plain loop: it runs over the vocabulary for every token. */
function argmax(logits: Float32Array): number {
  let [best, most] = [0, -Infinity];
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] ?? -Infinity;
    if (logit > most) [best, most] = [id, logit];
  }
  return best;
}

/** Draws a token by its probability. */
function multinomial(seed: number): ChooseToken {
  // Mersenne twister: pure-rand's others give neighbouring seeds nearly equal first numbers.
  const generator = mersenne(seed);
  return (logits) => {
    const probabilities = softmax(logits);
    let remaining = uniformFloat64(generator);
    for (const [id, probability] of probabilities.entries()) {
      remaining -= probability;
      if (remaining < 0) return id;
    }
    return argmax(logits); // the probabilities' rounding left a gap below 1
  };
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
