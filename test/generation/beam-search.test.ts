import { describe, expect, test } from 'vitest';
import { beamSearch } from '../../src/generation/beam-search.ts';
import { createTinyLlama, generationConfig, promptSequence, readFixture } from './fixtures.ts';

interface BeamCase {
  readonly input_ids: number[];
  readonly num_beams: number;
  readonly length_penalty: number;
  readonly early_stopping: boolean | 'never';
  readonly eos_token_id: number[];
  readonly repetition_penalty: number;
  readonly ids: number[];
  readonly score: number;
}

describe('beam search finds the answer and score of PyTorch transformers', () => {
  test.each(readFixture('beams.json') as BeamCase[])(
    '$input_ids num_beams $num_beams length_penalty $length_penalty early_stopping $early_stopping end $eos_token_id',
    async ({ input_ids, ids, score, eos_token_id, ...options }) => {
      const decoder = createTinyLlama();
      const past_key_values = decoder.create(48);
      const config = generationConfig(eos_token_id, { ...options, max_new_tokens: 10 });
      const result = await beamSearch(decoder, promptSequence(past_key_values, input_ids), config);
      const ended = eos_token_id.some((id) => id === ids.at(-1));
      expect(result.ids).toEqual(ended ? ids.slice(0, -1) : ids);
      expect(result.finish_reason).toBe(ended ? 'stop' : 'length');
      expect(result.score).toBeCloseTo(score, 4);
      expect(decoder.batches.slice(1).every((size) => size === options.num_beams)).toBe(true);
      expect(decoder.live).toBe(1); // the caller's, as it was
      expect(past_key_values.length).toBe(0);
    },
  );
});

test('an abort ends the search and releases every beam', async () => {
  const decoder = createTinyLlama();
  const abort = new AbortController();
  const config = generationConfig([], { num_beams: 4, max_new_tokens: 40 });
  const search = beamSearch(decoder, promptSequence(decoder.create(48), [7, 21, 3]), config, abort.signal);
  setImmediate(() => abort.abort(new Error('the caller left')));
  await expect(search).rejects.toThrow('the caller left');
  expect(decoder.batches.length).toBeLessThan(10);
  expect(decoder.live).toBe(1);
});

test('a prompt that leaves no room is refused before anything is forked', async () => {
  const decoder = createTinyLlama();
  const prompt = new Array<number>(48).fill(7);
  const search = beamSearch(
    decoder,
    promptSequence(decoder.create(48), prompt),
    generationConfig([], { num_beams: 2 }),
  );
  await expect(search).rejects.toMatchObject({ code: 'context_length_exceeded' });
  expect(decoder.live).toBe(1);
});
