import { describe, expect, it } from 'vitest';
import type { Comparison, Parting } from '../../scripts/goldens/compare.ts';
import { failuresOf } from '../../scripts/goldens/judge.ts';
import { run } from './command.ts';

function comparison(cosine: number, relative_error: number, partings: readonly Parting[] = []): Comparison {
  const agreement = { cosines: [1, cosine], relative_errors: [0, relative_error] };
  return { image_embeds: agreement, first_logits: agreement, partings };
}

function parting(step: number, margins: readonly number[]): Parting {
  const prompt = 'Describe the image.';
  const golden = { image: 0, file: 'a.png', prompt, prompt_ids: [], answer_ids: [], answer: '', margins };
  return { golden, step };
}

describe('the verdict on an engine', () => {
  it('is good where it is close and parts only where the reference is unsure, or later', () => {
    const partings = [parting(1, [2, 0.29, 3]), parting(2, [2, 0.1, 3])];
    expect(failuresOf(comparison(0.995, 0.1, partings), comparison(1, 1e-3))).toEqual([]);
  });

  it.each([
    ['a cosine', comparison(0.9949, 0.1), comparison(1, 0), 'cosine'],
    ['a cosine that is no number', comparison(NaN, 0.1), comparison(1, 0), 'cosine'],
    ['an error with float activations', comparison(1, 0.1), comparison(1, 2e-3), 'float activations'],
    ['an answer', comparison(1, 0, [parting(1, [2, 0.3, 0.1])]), comparison(1, 0), 'token 1'],
  ])('names what fails: %s', (_, ours, float, said) => {
    expect(failuresOf(ours, float)).toEqual([expect.stringContaining(said)]);
  });
});

it('shows its usage without goldens', async () => {
  const { code, stderr } = await run('check-goldens.ts', []);
  expect(code).toBe(2);
  expect(stderr).toContain('npm run goldens -- --goldens <folder>');
});
