import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DecoderDtype } from '../../onnx/llama-graph.ts';
import { ratio, spread, type Spread } from '../harness.ts';
import { photo, variant } from '../photos.ts';
import { benchedBundle } from '../pipeline.ts';
import { openGlimpse } from './glimpse.ts';
import { peakMemory } from './peak-memory.ts';
import { tokensPerSecond, type Rival } from './rival.ts';
import { openTransformersJs } from './transformers-js.ts';

/** Of each answer of a race. */
export const ANSWER_TOKENS = 24;

/** transformers.js by the weights of its decoder. */
const DTYPES: readonly DecoderDtype[] = ['fp32', 'q4'];

export interface LargeRival {
  readonly name: string;
  readonly first_token_ms: Spread;
  readonly tokens_per_second: Spread;
  readonly peak_memory: number;
  /** Times as much as Glimpse takes, round by round. */
  readonly ratios: { readonly first_token: Spread; readonly token: Spread; readonly peak_memory: Spread };
}

interface Entrant {
  readonly name: string;
  readonly rival: Rival;
  /** Of a fresh process, in bytes. */
  readonly peak: (photo: string) => number;
  /** Milliseconds, round by round. */
  readonly first: number[];
  readonly token: number[];
}

/**
 * Whole models of the shape of SmolVLM-256M in turns: Glimpse first, and transformers.js on what is exported of the
 * same bundle. Each image is new.
 * @param exported as export-folder.ts writes it
 */
export async function benchSmolVlmRivals(
  bundleFolder: string,
  exported: string,
  folder: string,
  rounds: number,
): Promise<readonly LargeRival[]> {
  const bundle = benchedBundle(bundleFolder);
  const generation = { max_new_tokens: ANSWER_TOKENS };
  const entrant = (name: string, rival: Rival, peak: Entrant['peak']): Entrant => {
    return { name, rival, peak, first: [], token: [] };
  };
  const glimpse = entrant('Glimpse', openGlimpse(bundle, { ...generation, do_sample: false }), (photo) =>
    peakMemory('glimpse', photo, bundleFolder),
  );
  const entrants = [glimpse];
  for (const dtype of DTYPES) {
    const rival = await openTransformersJs(exported, dtype, generation);
    const peak = (photo: string): number => peakMemory(dtype, photo, exported);
    entrants.push(entrant(`transformers.js ${dtype}`, rival, peak));
  }

  const picture = photo(512, 512);
  for (let round = 0; round < rounds; round++) {
    for (const { name, rival, first, token } of entrants) {
      const answer = await rival.ask(variant(picture, `${name} ${round}`));
      first.push(answer.first_token_ms);
      token.push(1000 / tokensPerSecond(answer));
    }
  }

  const path = join(folder, 'large-photo.jpg');
  writeFileSync(path, picture);
  const ours = glimpse.peak(path);
  return entrants.map((entrant) => {
    const { name, first, token } = entrant;
    const peak_memory = entrant === glimpse ? ours : entrant.peak(path);
    return {
      name,
      first_token_ms: spread(first),
      tokens_per_second: spread(token.map((ms) => 1000 / ms)),
      peak_memory,
      ratios: {
        first_token: ratio(first, glimpse.first),
        token: ratio(token, glimpse.token),
        peak_memory: ratio([peak_memory], [ours]),
      },
    };
  });
}
