import { describe, expect, it } from 'vitest';
import { createLabelEmbeds } from '../../src/model/label-embeds.ts';
import { likelyNames, nameTokens, type LabelNamesConfig } from '../../src/model/vision/label-names.ts';

const PAD = 5;
const CONFIG: LabelNamesConfig = {
  ...{ max_names: 2, tokens_per_name: 3, pad_token_id: PAD, least_probability: 0.1 },
  names: [
    { name: 'dog', label_ids: [0, 1], input_ids: [10] },
    { name: 'wolf', label_ids: [2], input_ids: [20, 21] },
    { name: 'mug', label_ids: [3], input_ids: [30, 31, 32] },
  ],
};
const [dog, wolf, mug] = CONFIG.names;

describe('names to tell', () => {
  it.each([
    ['classes of a name together, the likeliest first', [0.25, 0.25, 0.4, 0.1], ['dog', 'wolf']],
    ['the order by probability, not by class', [0.05, 0.05, 0.3, 0.6], ['mug', 'wolf']],
    ['no more than max_names', [0.15, 0.15, 0.35, 0.35], ['wolf', 'mug']],
    ['equals in the order of their first classes', [0.25, 0, 0.25, 0.5], ['mug', 'dog']],
    ['what just reaches least_probability', [0.05, 0.04, 0.1, 0.81], ['mug', 'wolf']],
    ['nothing that does not', [0.05, 0.04, 0.09, 0.09], []],
  ])('%s', (_, probabilities, names) => {
    expect(likelyNames(Float64Array.from(probabilities), CONFIG).map(({ name }) => name)).toEqual(names);
  });
});

describe('their tokens', () => {
  it.each([
    ['each filled up', [wolf, dog], [20, 21, PAD, 10, PAD, PAD]],
    ['padding in the place of none', [mug], [30, 31, 32, PAD, PAD, PAD]],
    ['nothing but padding', [], [PAD, PAD, PAD, PAD, PAD, PAD]],
  ])('%s', (_, told, tokens) => {
    expect(
      nameTokens(
        told.filter((name) => name !== undefined),
        CONFIG,
      ),
    ).toEqual(tokens);
  });
});

it('their rows are the token embeddings and what is trained of their places', async () => {
  const classifier = { labels: [], classify: () => Float32Array.of(0, 0, -9, 5) }; // a mug, hardly anything else
  const rows = (ids: readonly number[]) => Promise.resolve(Float32Array.from(ids.flatMap((id) => [id, -id])));
  const positions = Float32Array.from({ length: 12 }, (_, i) => i / 16);
  const embeds = createLabelEmbeds(classifier, { rows }, () => positions, CONFIG);
  const tokens = [30, 31, 32, PAD, PAD, PAD];
  const expected = tokens.flatMap((id, row) => [id + (2 * row) / 16, -id + (2 * row + 1) / 16]);
  expect([...(await embeds(new Float32Array()))]).toEqual(expected);
});
