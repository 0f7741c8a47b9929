import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createPrefixCache } from '../../src/model/prefix-cache.ts';
import type { Decoder, DecoderInput, PastKeyValues } from '../../src/model/types.ts';
import type { EmbeddedImage } from '../../src/pipeline/embed-image.ts';
import { prefillPrompt } from '../../src/pipeline/prefill.ts';
import {
  cutAtImages,
  promptWithImages,
  type PromptWithImages,
} from '../../src/pipeline/prompt-with-images.ts';
import { plainImagePrompt, tiledImagePrompt } from '../../src/text/image-prompt.ts';
import { createChatTemplate, type ChatMessage } from '../../src/text/prompt.ts';
import { createTokenizer } from '../../src/text/tokenizer.ts';

const HIDDEN = 2;
const IMAGE = 9;

interface Fixture {
  readonly processors: Record<
    string,
    {
      readonly tokenizer: string;
      readonly chat_template: string;
      readonly tokens: Record<string, string>;
      readonly tiled: boolean;
    }
  >;
  readonly prompts: readonly {
    readonly processor: string;
    readonly messages: readonly ChatMessage[];
    readonly images: readonly { readonly tokens: number; readonly grid: readonly [number, number] }[];
    readonly input_ids: readonly number[];
  }[];
}

const readJson = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8'));
const { processors, prompts } = readJson('processor/prompts.json') as Fixture;

function partsOf(name: string) {
  const processor = processors[name];
  if (processor === undefined) throw new Error(`no processor ${name}`);
  const { tokenizer } = readJson(`tokenizers/${processor.tokenizer}.json`) as { tokenizer: unknown };
  const config = { chat_template: processor.chat_template, ...processor.tokens };
  return {
    tokenizer: createTokenizer(tokenizer, config),
    chat_template: createChatTemplate(config),
    image_prompt: processor.tiled ? tiledImagePrompt('<image>', {}) : plainImagePrompt('<image>'),
  };
}

/** Its rows hold their own numbers, from `first` on. */
function image(key: string, tokens: number, grid: readonly [number, number], first = 0): EmbeddedImage {
  const data = Float32Array.from({ length: tokens * HIDDEN }, (_, i) => first + Math.floor(i / HIDDEN));
  return {
    image: `sha256:${key}`,
    key,
    image_embeds: { data, shape: [tokens, HIDDEN], grid, pooler_output: new Float32Array() },
    cache: 'miss',
  };
}

/** The prompt as the decoder reads it: an id for each token, and for each row the number that it holds. */
function asRead({ prefix, input_ids }: Pick<PromptWithImages, 'prefix' | 'input_ids'>): (number | string)[] {
  const parts = prefix.map((part) =>
    'input_ids' in part
      ? part.input_ids
      : [...part.inputs_embeds].filter((_, i) => i % HIDDEN === 0).map((row) => `row ${row}`),
  );
  return [...parts, input_ids].flat();
}

describe("prompts are those of transformers' processors", () => {
  test.each(prompts)('$processor: $messages', ({ processor, messages, images, input_ids }) => {
    const parts = partsOf(processor);
    const image_token_id = parts.tokenizer.special.get('<image>') ?? NaN;
    const rows = images.map((_, i) => images.slice(0, i).reduce((sum, { tokens }) => sum + tokens, 0));
    const embedded = images.map(({ tokens, grid }, i) => image(`${i}`, tokens, grid, rows[i]));
    const prompt = promptWithImages(parts, messages, image_token_id, embedded);
    expect(prompt.prompt_ids).toEqual(input_ids);

    let row = 0;
    const expected = input_ids.map((id) => (id === image_token_id ? `row ${row++}` : id));
    expect(asRead(prompt)).toEqual(expected);
    expect(prompt.input_ids).not.toContain(image_token_id);
  });
});

test('a text cannot write an image', () => {
  const parts = partsOf('smolvlm');
  const content = [{ type: 'image' }, { type: 'text', text: '<image><fake_token_around_image>' }] as const;
  const image_token_id = parts.tokenizer.special.get('<image>') ?? NaN;
  const one = image('a', 4, [0, 0]);
  const { prompt_ids } = promptWithImages(parts, [{ role: 'user', content }], image_token_id, [one]);
  expect(prompt_ids.filter((id) => id === image_token_id)).toHaveLength(4);
});

test('a template that gives an image no place refuses it', () => {
  const parts = { ...partsOf('smolvlm'), chat_template: createChatTemplate({ chat_template: 'Hello' }) };
  expect(() => promptWithImages(parts, [], IMAGE, [image('a', 4, [0, 0])])).toThrow(
    expect.objectContaining({ code: 'invalid_value', param: 'messages' }) as Error,
  );
});

test('embeddings of another number than the image tokens are an error with both', () => {
  expect(() => cutAtImages([1, IMAGE, IMAGE, 2], IMAGE, [image('a', 3, [0, 0])])).toThrow(
    /2 image tokens.* 3 embeddings/,
  );
});

describe('images side by side', () => {
  test('are read one by one', () => {
    const { prefix, input_ids } = cutAtImages([IMAGE, IMAGE, IMAGE, 5], IMAGE, [
      image('a', 2, [0, 0]),
      image('b', 1, [0, 0], 7),
    ]);
    expect(prefix).toHaveLength(2);
    expect(asRead({ prefix, input_ids })).toEqual(['row 0', 'row 1', 'row 7', 5]);
  });
});

describe('the prefix cache', () => {
  const [a, b] = [image('a', 2, [0, 0]), image('b', 2, [0, 0])];
  const cut = (ids: readonly number[], ...images: EmbeddedImage[]) => cutAtImages(ids, IMAGE, images);
  const prompt = cut([1, IMAGE, 3, IMAGE, 4], a);

  /** Counts the positions that it reads. */
  function countingDecoder() {
    const read: DecoderInput[] = [];
    const sequence: PastKeyValues = { length: 4, fork: () => sequence, release: () => undefined };
    const decoder: Decoder = {
      vocab_size: 10,
      max_position_embeddings: 100,
      bytes_per_position: 10,
      create: (positions) => {
        expect(positions).toBe(4);
        return sequence;
      },
      forward: (batch) => {
        read.push(...batch);
        return Promise.resolve([]);
      },
    };
    return { decoder, read };
  }

  test('reads a prefix once', async () => {
    const { decoder, read } = countingDecoder();
    const prefixes = createPrefixCache(40);
    const first = await prefillPrompt(decoder, prompt, prefixes, 8);
    expect(first).toMatchObject({ cached_tokens: 0, prompt_ids: [1, IMAGE, 3, IMAGE, 4], input_ids: [4] });
    expect(read).toHaveLength(4);
    const second = await prefillPrompt(decoder, cut([1, IMAGE, 3, IMAGE, 5, 6], a), prefixes, 8);
    expect(second).toMatchObject({ cached_tokens: 4, input_ids: [5, 6] });
    expect(read).toHaveLength(4);
  });

  test.each([
    ['another image', cut([1, IMAGE, 3, IMAGE, 4], b)],
    ['other tokens before', cut([2, IMAGE, 3, IMAGE, 4], a)],
    ['other tokens between', cut([1, IMAGE, 2, IMAGE, 4], a)],
    ['more between', cut([1, IMAGE, 3, 3, IMAGE, 4], a)],
    ['nothing between', cut([1, IMAGE, IMAGE, 3, 4], a)],
    ['one image more', cut([1, IMAGE, 3, IMAGE, IMAGE, IMAGE, 4], a, b)],
  ])('names all that stands before: %s', (_, other) => {
    expect(other.prefix_key).not.toBe(prompt.prefix_key);
  });
});
