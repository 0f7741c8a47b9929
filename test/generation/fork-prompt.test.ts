import { expect, test } from 'vitest';
import { forkPrompt, readPrompt } from '../../src/pipeline/prefill.ts';
import { generate } from '../../src/generation/generate.ts';
import type { PromptSequence } from '../../src/generation/sequence.ts';
import { createTinyLlama, generationConfig, promptSequence } from './fixtures.ts';

const input_ids = [7, 21, 3];

async function idsAfter(
  decoder: ReturnType<typeof createTinyLlama>,
  prompt: PromptSequence,
): Promise<number[]> {
  const ids: number[] = [];
  const config = generationConfig([], { max_new_tokens: 8, repetition_penalty: 1.5 });
  for await (const { id } of generate(decoder, prompt, config)) ids.push(id);
  return ids;
}

test('forked sequences go on as the prompt does, which is read once', async () => {
  const decoder = createTinyLlama();
  const expected = await idsAfter(decoder, promptSequence(decoder.create(48), input_ids));
  const past_key_values = decoder.create(48);
  const read = await readPrompt(decoder, promptSequence(past_key_values, input_ids));
  const forks = forkPrompt(read, 3, 8);
  expect(past_key_values.length).toBe(2); // all but the last token, which each fork reads
  for (const fork of forks) expect(await idsAfter(decoder, fork)).toEqual(expected);
});

test('where there is no memory for all, none is kept', () => {
  const decoder = createTinyLlama();
  const past_key_values = decoder.create(48);
  let forked = 0;
  const scarce = {
    length: 0,
    release: () => undefined,
    fork() {
      if (++forked > 2) throw new Error('no memory');
      return past_key_values.fork();
    },
  };
  const live = decoder.live;
  expect(() => forkPrompt(promptSequence(scarce, [7]), 4, 8)).toThrow('no memory');
  expect(decoder.live).toBe(live);
});
