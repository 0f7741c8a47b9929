import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBundle } from '../../../src/bundle/bundle.ts';
import { fileSource } from '../../../src/bundle/sources/file.ts';
import { idefics3ConfigSchema } from '../../../src/model/idefics3.ts';
import { spread, type Spread } from '../harness.ts';
import { photo, variant } from '../photos.ts';
import { benchedBundle } from '../pipeline.ts';
import { createFloor } from './floor.ts';
import { openGlimpse } from './glimpse.ts';
import { peakMemory } from './peak-memory.ts';
import { tokensPerSecond } from './rival.ts';

const ANSWER_TOKENS = 64;
const FLOOR_TOKENS = 16;

export interface SmolVlmResult {
  /** First token, in milliseconds: a new 512x512 image, and the same again. */
  readonly new_image_ms: Spread;
  readonly cached_image_ms: Spread;
  readonly tokens_per_second: Spread;
  /** Products alone, in the same rounds: an image and its prompt; a token. */
  readonly floor_new_image_ms: Spread;
  readonly floor_tokens_per_second: Spread;
  /** Times as long as the products alone take, round by round. */
  readonly new_image_over_floor: Spread;
  readonly token_over_floor: Spread;
  readonly fetched_bytes: {
    readonly first: number;
    readonly new_image: number;
    readonly cached_image: number;
  };
  readonly peak_memory: number;
  readonly prompt_tokens: number;
  readonly tokens: number;
}

/** @param folder a bundle of the shape of SmolVLM-256M whose images are not split */
export async function benchSmolVlm(folder: string, rounds: number): Promise<SmolVlmResult> {
  const bundle = benchedBundle(folder);
  const files = await openBundle(fileSource(bundle.bundles), bundle.id);
  const floor = createFloor(idefics3ConfigSchema.parse(await files.json('config.json')));
  const glimpse = openGlimpse(bundle, { max_new_tokens: ANSWER_TOKENS, do_sample: false });
  const picture = photo(512, 512);
  await glimpse.ask(variant(picture, 'warm'));
  const first = glimpse.fetched();
  floor.decode(1);

  const samples = { fresh: [], cached: [], rate: [], floorImage: [], floorRate: [] } as Record<
    'fresh' | 'cached' | 'rate' | 'floorImage' | 'floorRate',
    number[]
  >;
  let [new_image, cached_image, tokens] = [0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    const image = variant(picture, `round ${round}`);
    const before = glimpse.fetched();
    samples.fresh.push((await glimpse.ask(image)).first_token_ms);
    const between = glimpse.fetched();
    const again = await glimpse.ask(image);
    [new_image, cached_image, tokens] = [between - before, glimpse.fetched() - between, again.tokens];
    samples.cached.push(again.first_token_ms);
    samples.rate.push(tokensPerSecond(again));
    samples.floorImage.push(took(floor.tile) + took(() => floor.decode(glimpse.promptTokens())));
    const token_ms = took(() => {
      for (let i = 0; i < FLOOR_TOKENS; i++) floor.decode(1);
    });
    samples.floorRate.push((1000 * FLOOR_TOKENS) / token_ms);
  }
  const over = (a: readonly number[], b: readonly number[]) =>
    spread(a.map((value, i) => value / (b[i] ?? NaN)));
  return {
    new_image_ms: spread(samples.fresh),
    cached_image_ms: spread(samples.cached),
    tokens_per_second: spread(samples.rate),
    floor_new_image_ms: spread(samples.floorImage),
    floor_tokens_per_second: spread(samples.floorRate),
    new_image_over_floor: over(samples.fresh, samples.floorImage),
    token_over_floor: over(samples.floorRate, samples.rate),
    fetched_bytes: { first, new_image, cached_image },
    peak_memory: peakOf(picture, folder),
    prompt_tokens: glimpse.promptTokens(),
    tokens,
  };
}

function took(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function peakOf(picture: Uint8Array, folder: string): number {
  const temporary = mkdtempSync(join(tmpdir(), 'glimpse-models-'));
  const path = join(temporary, 'photo.jpg');
  writeFileSync(path, picture);
  const peak = peakMemory('glimpse', path, folder);
  rmSync(temporary, { recursive: true });
  return peak;
}
