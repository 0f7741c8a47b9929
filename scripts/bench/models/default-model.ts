import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { photo, variant } from '../photos.ts';
import { BUNDLE, BUNDLES, DEFAULT_BUNDLE } from '../pipeline.ts';
import { openGlimpse } from './glimpse.ts';
import { peakMemory } from './peak-memory.ts';
import { noSamples, summary, type RivalResult, type Samples } from './result.ts';
import { tokensPerSecond, type Rival, type TimedAnswer } from './rival.ts';
import { openTransformersJs } from './transformers-js.ts';
import { WORKERS, grown, rivalOn, withWorkers } from './workers.ts';

/** Each with the one of ours that it is held against. */
export const RIVALS = {
  'Glimpse, Node': 'Glimpse, Node',
  'transformers.js fp32, Node': 'Glimpse, Node',
  'transformers.js q4, Node': 'Glimpse, Node',
  'Glimpse, workerd': 'Glimpse, workerd',
  'ONNX engine q4, workerd': 'Glimpse, workerd',
} as const;
export type RivalName = keyof typeof RIVALS;

export type DefaultModelResult = Readonly<Record<RivalName, RivalResult>>;

/**
 * glimpse-10m in five engines, in turns on the same photos.
 * @param exported as export-folder.ts writes it
 * @param folder where Workers are built
 */
export async function benchDefaultModel(
  exported: string,
  folder: string,
  rounds: number,
): Promise<DefaultModelResult> {
  const picture = photo(640, 480);
  const path = join(folder, 'photo.jpg');
  writeFileSync(path, picture);
  return withWorkers(DEFAULT_BUNDLE, exported, folder, async (servers) => {
    const rivals: Readonly<Record<RivalName, Rival>> = {
      'Glimpse, Node': openGlimpse(DEFAULT_BUNDLE),
      'transformers.js fp32, Node': await openTransformersJs(exported, 'fp32'),
      'transformers.js q4, Node': await openTransformersJs(exported, 'q4'),
      'Glimpse, workerd': rivalOn(servers['Glimpse, workerd']),
      'ONNX engine q4, workerd': rivalOn(servers['ONNX engine q4, workerd']),
    };
    const samples = mapRivals(noSamples);
    const last = await raceRivals(rivals, picture, rounds, samples);
    for (const name of WORKERS) samples[name]['peak memory'].push(grown(servers[name]));
    for (let round = 0; round < 3; round++) {
      samples['Glimpse, Node']['peak memory'].push(peakMemory('glimpse', path, join(BUNDLES, BUNDLE)));
      samples['transformers.js fp32, Node']['peak memory'].push(peakMemory('fp32', path, exported));
      samples['transformers.js q4, Node']['peak memory'].push(peakMemory('q4', path, exported));
    }
    return mapRivals((name) => summary(samples[name], samples[RIVALS[name]], last[name]));
  });
}

/** Of each kind in a round, the fastest counts: what else the machine does falls on some. As in harness.ts. */
const CALLS = 3;

/** Rounds begin with another rival each; in each, new images and then the last of them again. */
async function raceRivals(
  rivals: Readonly<Record<RivalName, Rival>>,
  picture: Uint8Array<ArrayBuffer>,
  rounds: number,
  samples: Readonly<Record<RivalName, Samples>>,
): Promise<Readonly<Record<RivalName, TimedAnswer>>> {
  const names = Object.keys(RIVALS) as RivalName[];
  for (const name of names) {
    for (let i = 0; i < 4; i++) await rivals[name].ask(variant(picture, `warm ${i}`));
  }
  const last = {} as Record<RivalName, TimedAnswer>;
  for (let round = 0; round < rounds; round++) {
    const images = Array.from({ length: CALLS }, (_, i) => variant(picture, `round ${round} ${i}`));
    const repeated = images.at(-1) ?? picture;
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const fresh = await askAll(rivals[name], images);
      const again = await askAll(rivals[name], Array<typeof picture>(CALLS).fill(repeated));
      const mine = samples[name];
      mine['new image'].push(firstToken(fresh));
      mine.repeat.push(firstToken(again));
      mine.token.push(1000 / Math.max(...again.map(tokensPerSecond)));
      last[name] = again.at(-1) ?? last[name];
    }
  }
  return last;
}

async function askAll(
  rival: Rival,
  images: readonly Uint8Array<ArrayBuffer>[],
): Promise<readonly TimedAnswer[]> {
  const answers: TimedAnswer[] = [];
  for (const image of images) answers.push(await rival.ask(image));
  return answers;
}

function firstToken(answers: readonly TimedAnswer[]): number {
  return Math.min(...answers.map(({ first_token_ms }) => first_token_ms));
}

function mapRivals<T>(of: (name: RivalName) => T): Readonly<Record<RivalName, T>> {
  const names = Object.keys(RIVALS) as RivalName[];
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<RivalName, T>;
}
