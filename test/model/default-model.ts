import { createBundleTokenizer, readBundle } from '../text/fixtures.ts';
import { readGoldens, type GoldenCase } from './goldens.ts';

// What tests know of the default model stands in its bundle and in PyTorch's goldens: other weights change no test.

const HIDDEN = 256;

const goldens = readGoldens('test/fixtures/model');
const tokenizer = createBundleTokenizer();
const { weight_map } = readBundle('model.safetensors.index.json') as { weight_map: Record<string, string> };

/** Rows of one image's image_embeds. */
export const IMAGE_TOKENS = goldens.tensor('0.image_embeds').length / HIDDEN;

function shardOf(tensor: string): string {
  const shard = weight_map[tensor];
  if (shard === undefined) throw new Error(`the bundle has no ${tensor}`);
  return shard;
}

/** Where the parts lie that are fetched apart. */
export const SHARDS = {
  vision: shardOf('multi_modal_projector.norm.weight'),
  classifier: shardOf('vision_tower.classifier.bias'),
  text: shardOf('language_model.model.norm.weight'),
} as const;

/** PyTorch's answer to a question about a photo. */
export function golden(photo: string, question: string): GoldenCase {
  const found = goldens.cases.find(({ file, prompt }) => file === photo && prompt === question);
  if (found === undefined) throw new Error(`the goldens have no "${question}" about ${photo}`);
  return found;
}

function surestOf(cases: readonly GoldenCase[]): GoldenCase {
  return cases.reduce((one, other) => (Math.min(...other.margins) > Math.min(...one.margins) ? other : one));
}

/**
 * The photo that PyTorch is surest how to describe: of others the engine, which rounds activations, may say something
 * else where the reference is nearly undecided.
 */
export const SUREST = surestOf(goldens.cases.filter(({ prompt }) => prompt === 'Describe the image.'));

/** The surest answer to another question about it. */
export const SUREST_NEXT = surestOf(
  goldens.cases.filter(({ file, prompt }) => file === SUREST.file && prompt !== SUREST.prompt),
);

/** The text of the first tokens of an answer. */
export function beginning({ answer_ids }: GoldenCase, tokens: number): string {
  return tokenizer.decode(answer_ids.slice(0, tokens));
}

type UsageField = 'prompt_tokens' | 'completion_tokens' | 'total_tokens';

/** As an answer tells it, where nothing but the image and the question stands in the prompt. */
export function usageOf({ prompt_ids, answer_ids }: GoldenCase): Readonly<Record<UsageField, number>> {
  const prompt_tokens = 1 + IMAGE_TOKENS + prompt_ids.length; // <|user|> first
  const completion_tokens = answer_ids.length - 1; // <|end|> is not counted
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}
