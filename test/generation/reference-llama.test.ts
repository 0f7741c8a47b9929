import { expect, test } from 'vitest';
import { createTinyLlama, readFixture } from './fixtures.ts';

const cases = readFixture('logits.json') as { input_ids: number[]; logits: number[] }[];

test.each(cases)(
  'the reference decoder gives the logits of PyTorch after $input_ids',
  async ({ input_ids, logits }) => {
    const decoder = createTinyLlama();
    const [together] = await decoder.forward([{ past_key_values: decoder.create(48), input_ids }]);
    const stepwise = decoder.create(48);
    for (const id of input_ids.slice(0, -1)) {
      await decoder.forward([{ past_key_values: stepwise, input_ids: [id] }]);
    }
    const last = { past_key_values: stepwise.fork(), input_ids: input_ids.slice(-1) };
    const [cached] = await decoder.forward([last]);
    expect(stepwise.length).toBe(input_ids.length - 1);
    for (const [id, expected] of logits.entries()) {
      expect(together?.[id]).toBeCloseTo(expected, 4);
      expect(cached?.[id]).toBeCloseTo(expected, 4);
    }
  },
);
