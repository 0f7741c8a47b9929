import { beforeAll, describe, expect, test } from 'vitest';
import type { GenerationConfig, GenerationOptions } from '../../src/generation/config.ts';
import { generate, type FinishReason, type GeneratedToken } from '../../src/generation/generate.ts';
import { softmax } from '../../src/generation/softmax.ts';
import { createTinyLlama, generationConfig, promptSequence, readFixture } from './fixtures.ts';

interface GreedyCase {
  readonly input_ids: number[];
  readonly repetition_penalty: number;
  readonly eos_token_id: number[];
  readonly ids: number[];
}

interface LogitsCase {
  readonly input_ids: number[];
  readonly logits: number[];
}

async function collect(
  tokens: AsyncGenerator<GeneratedToken, FinishReason>,
): Promise<{ ids: number[]; finish_reason: FinishReason }> {
  const ids: number[] = [];
  for (;;) {
    const step = await tokens.next();
    if (step.done === true) return { ids, finish_reason: step.value };
    ids.push(step.value.id);
  }
}

async function answer(input_ids: number[], config: GenerationConfig): Promise<number[]> {
  const decoder = createTinyLlama();
  return (await collect(generate(decoder, promptSequence(decoder.create(48), input_ids), config))).ids;
}

describe('greedy', () => {
  test.each(readFixture('greedy.json') as GreedyCase[])(
    'after $input_ids, repetition_penalty $repetition_penalty, end at $eos_token_id',
    async ({ input_ids, repetition_penalty, eos_token_id, ids }) => {
      const decoder = createTinyLlama();
      const past_key_values = decoder.create(48);
      const config = generationConfig(eos_token_id, { repetition_penalty, max_new_tokens: 20 });
      const result = await collect(generate(decoder, promptSequence(past_key_values, input_ids), config));
      const ended = eos_token_id.some((id) => id === ids.at(-1));
      expect(result).toEqual({
        ids: ended ? ids.slice(0, -1) : ids,
        finish_reason: ended ? 'stop' : 'length',
      });
      expect(past_key_values.length).toBe(input_ids.length + ids.length - 1);
    },
  );

  test('a prefix held in past_key_values changes nothing', async () => {
    const decoder = createTinyLlama();
    const prefix = decoder.create(48);
    await decoder.forward([{ past_key_values: prefix, input_ids: [7, 21] }]);
    const config = generationConfig([], { max_new_tokens: 8 });
    const { ids } = await collect(generate(decoder, promptSequence(prefix.fork(), [3]), config));
    expect(ids).toEqual(await answer([7, 21, 3], config));
  });
});

describe('the context', () => {
  test('caps max_new_tokens', async () => {
    const decoder = createTinyLlama();
    const prompt = new Array<number>(45).fill(7);
    const result = await collect(
      generate(
        decoder,
        promptSequence(decoder.create(48), prompt),
        generationConfig([], { max_new_tokens: 20 }),
      ),
    );
    expect(result.ids).toHaveLength(3);
    expect(result.finish_reason).toBe('length');
  });

  test('refuses a prompt that leaves no room, with both numbers', async () => {
    const decoder = createTinyLlama();
    const past_key_values = decoder.create(48);
    await decoder.forward([{ past_key_values, input_ids: new Array<number>(40).fill(7) }]);
    const tokens = generate(
      decoder,
      promptSequence(past_key_values, new Array<number>(8).fill(7)),
      generationConfig([], {}),
    );
    await expect(tokens.next()).rejects.toMatchObject({
      code: 'context_length_exceeded',
      message: expect.stringMatching(/\b48\b.*\b48\b/) as string,
    });
  });
});

describe('sampling', () => {
  const [first] = readFixture('logits.json') as LogitsCase[];
  const { input_ids, logits } = first ?? { input_ids: [], logits: [] };
  const decoder = createTinyLlama();
  const prefix = decoder.create(48);

  beforeAll(async () => {
    await decoder.forward([{ past_key_values: prefix, input_ids: input_ids.slice(0, -1) }]);
  });

  async function draw(options: GenerationOptions): Promise<number[]> {
    const config = generationConfig([], options);
    return (await collect(generate(decoder, promptSequence(prefix.fork(), input_ids.slice(-1)), config))).ids;
  }

  test('draws first tokens by the softmax of PyTorch logits', async () => {
    const draws = 2000;
    const temperature = 3;
    const counts = new Array<number>(64).fill(0);
    for (let seed = 0; seed < draws; seed++) {
      const [id = -1] = await draw({ seed, temperature, top_k: 0, max_new_tokens: 1 });
      counts[id] = (counts[id] ?? 0) + 1;
    }
    const expected = softmax(Float32Array.from(logits, (logit) => logit / temperature)).map((p) => p * draws);
    const chiSquare = counts.reduce(
      (sum, count, id) => sum + (count - (expected[id] ?? 0)) ** 2 / (expected[id] ?? 0),
      0,
    );
    expect(Math.min(...expected)).toBeGreaterThan(1);
    expect(chiSquare).toBeLessThan(103.4); // 63 degrees of freedom, p = 0.001
    expect(chiSquare).toBeGreaterThan(32.5); // nor too good to be drawn, p = 0.999
  });

  test('top_k keeps draws among the k likeliest, all of which come', async () => {
    const likeliest = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0)).slice(0, 4);
    const drawn = new Set<number>();
    for (let seed = 0; seed < 300; seed++) {
      for (const id of await draw({ seed, top_k: 4, temperature: 4, max_new_tokens: 1 })) drawn.add(id);
    }
    expect(drawn).toEqual(new Set(likeliest));
  });

  test('the same seed draws the same answer, another seed another', async () => {
    const options = { temperature: 2, max_new_tokens: 16 };
    const answers = await Promise.all([5, 5, 6].map((seed) => draw({ ...options, seed })));
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).not.toEqual(answers[2]);
  });

  test('without a seed, answers differ', async () => {
    const options = { temperature: 5, top_k: 0, max_new_tokens: 20 };
    expect(await draw(options)).not.toEqual(await draw(options));
  });
});

describe('between tokens', () => {
  test('an abort ends the work with its reason', async () => {
    const decoder = createTinyLlama();
    const abort = new AbortController();
    const config = generationConfig([], { max_new_tokens: 20 });
    const tokens = generate(decoder, promptSequence(decoder.create(48), [7, 21, 3]), config, abort.signal);
    await tokens.next();
    await tokens.next();
    abort.abort(new Error('the caller left'));
    await expect(tokens.next()).rejects.toThrow('the caller left');
    expect(decoder.batches).toHaveLength(2);
  });

  test('timers run', async () => {
    const decoder = createTinyLlama();
    let fired = 0;
    const timer = setInterval(() => fired++, 0);
    const config = generationConfig([], { max_new_tokens: 40 });
    const { ids } = await collect(generate(decoder, promptSequence(decoder.create(48), [7, 21, 3]), config));
    clearInterval(timer);
    expect(ids).toHaveLength(40);
    expect(fired).toBeGreaterThan(0);
  });
});
