import { expect, test } from 'vitest';
import type { GenerationOptions } from '../../src/generation/config.ts';
import { createLogitsProcessors } from '../../src/generation/logits-process.ts';
import { generationConfig, readFixture } from './fixtures.ts';

interface Case {
  readonly options: GenerationOptions;
  readonly input_ids: number[];
  readonly logits: number[];
  readonly processed: (number | null)[];
}

test.each(readFixture('processors.json') as Case[])(
  '$options',
  ({ options, input_ids, logits, processed }) => {
    const config = generationConfig([], { top_k: 0, ...options });
    const actual = Float32Array.from(logits);
    for (const process of createLogitsProcessors(config, 0)) process(input_ids, actual);
    const expected = processed.map((value) => value ?? -Infinity);
    expect(Array.from(actual, Number.isFinite)).toEqual(expected.map(Number.isFinite));
    for (const [id, value] of expected.entries()) {
      if (Number.isFinite(value)) expect(actual[id]).toBeCloseTo(value, 5);
    }
  },
);

test('without sampling, sampling processors of the bundle do nothing', () => {
  expect(createLogitsProcessors(generationConfig([], {}), 0)).toEqual([]);
});
