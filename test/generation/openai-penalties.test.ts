import { expect, test } from 'vitest';
import type { ChatOptions } from '../../src/generation/config.ts';
import { createLogitsProcessors } from '../../src/generation/logits-process.ts';
import { tokenLogprobs } from '../../src/generation/logprobs.ts';
import { randomNumbers } from '../text/fixtures.ts';
import { generationConfig } from './fixtures.ts';

const prompt = [1, 2, 2, 3];
const generated = [2, 5, 5, 7, 5];
const random = randomNumbers(4);
const logits = Array.from({ length: 9 }, () => random() * 8 - 4);

function processed(options: ChatOptions): number[] {
  const actual = Float32Array.from(logits);
  for (const process of createLogitsProcessors(generationConfig([], options), prompt.length)) {
    process([...prompt, ...generated], actual);
  }
  return [...actual];
}

/** "mu[j] -> mu[j] - c[j] * alpha_frequency - float(c[j] > 0) * alpha_presence": OpenAI's documentation. */
function byFormula(presence: number, frequency: number): number[] {
  return logits.map((mu, j) => {
    const c = generated.filter((id) => id === j).length;
    return mu - c * frequency - Number(c > 0) * presence;
  });
}

test.each([
  [0.5, 0],
  [0, 0.7],
  [2, -2],
  [-1.25, 0.3],
])(
  'presence_penalty %d, frequency_penalty %d: of what is generated, not of the prompt',
  (presence, frequency) => {
    const actual = processed({ presence_penalty: presence, frequency_penalty: frequency });
    for (const [id, expected] of byFormula(presence, frequency).entries()) {
      expect(actual[id]).toBeCloseTo(expected, 5);
    }
  },
);

test('logit_bias is added', () => {
  const actual = processed({ logit_bias: new Map([[3, 100], [8, -2.5]]) }); // prettier-ignore
  expect(actual[3]).toBeCloseTo((logits[3] ?? 0) + 100, 4);
  expect(actual[8]).toBeCloseTo((logits[8] ?? 0) - 2.5, 5);
  expect(actual[0]).toBeCloseTo(logits[0] ?? 0, 5);
});

test('log-probabilities are those of all tokens, the likeliest first', () => {
  const all = tokenLogprobs(Float32Array.from(logits), 4, logits.length);
  expect(all.top.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)).toBeCloseTo(1, 12);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
  expect(all.logprob).toBeCloseTo(Math.log(Math.exp(logits[4] ?? 0) / sum), 6);
  const order = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
  expect(all.top.map(({ id }) => id)).toEqual(order);
  expect(tokenLogprobs(Float32Array.from(logits), 4, 2).top).toEqual(all.top.slice(0, 2));
});
