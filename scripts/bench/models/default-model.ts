import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chooseGraphs } from '../../onnx/choose-graphs.ts';
import { exportFolder } from '../../onnx/export-folder.ts';
import { importFolder } from '../../onnx/import-folder.ts';
import { ratio, spread, type Spread } from '../harness.ts';
import { photo, variant } from '../photos.ts';
import { BUNDLE, BUNDLES, DEFAULT_BUNDLE } from '../pipeline.ts';
import { buildWorker, startServer, type Server } from '../server.ts';
import { ask } from '../worker.ts';
import { openGlimpse } from './glimpse.ts';
import { peakMemory } from './peak-memory.ts';
import { tokensPerSecond, type Rival, type TimedAnswer } from './rival.ts';
import { openTransformersJs } from './transformers-js.ts';

/** Each with the one of ours that it is held against. */
export const RIVALS = {
  'Glimpse, Node': 'Glimpse, Node',
  'transformers.js fp32, Node': 'Glimpse, Node',
  'transformers.js q4, Node': 'Glimpse, Node',
  'Glimpse, workerd': 'Glimpse, workerd',
  'ONNX engine q4, workerd': 'Glimpse, workerd',
} as const;
export type RivalName = keyof typeof RIVALS;

export const MEASURES = ['new image', 'repeat', 'token', 'peak memory'] as const;
export type Measure = (typeof MEASURES)[number];

export interface RivalResult {
  /** First tokens and tokens in milliseconds, memory in bytes. */
  readonly figures: Readonly<Record<Measure, Spread>>;
  readonly tokens_per_second: Spread;
  /** Times as much as ours, round by round. */
  readonly ratios: Readonly<Record<Measure, Spread>>;
  readonly tokens: number;
  readonly answer: string;
}
export type DefaultModelResult = Readonly<Record<RivalName, RivalResult>>;

type Samples = Record<Measure | 'tokens per second', number[]>;

/**
 * glimpse-10m in five engines, in turns on the same photos.
 * @param folder where models are exported and Workers built
 */
export async function benchDefaultModel(folder: string, rounds: number): Promise<DefaultModelResult> {
  const picture = photo(640, 480);
  const path = join(folder, 'photo.jpg');
  writeFileSync(path, picture);
  const exported = join(folder, BUNDLE);
  await exportFolder(BUNDLES, BUNDLE, exported);
  const imported = join(folder, 'onnx-bundles');
  await importFolder(
    exported,
    await chooseGraphs(exported, ['fp32', 'decoder_model_merged=q4']),
    imported,
    BUNDLE,
  );

  const onnx = buildWorker(join(folder, 'onnx-worker'), { env: 'onnx', bundle: BUNDLE, bundles: imported });
  const servers = [
    await startServer(buildWorker(join(folder, 'worker')), join(folder, 'state')),
    await startServer(onnx, join(folder, 'onnx-state')),
  ] as const;
  try {
    const [glimpse, onnx] = servers;
    const rivals: Readonly<Record<RivalName, Rival>> = {
      'Glimpse, Node': openGlimpse(DEFAULT_BUNDLE),
      'transformers.js fp32, Node': await openTransformersJs(exported, 'fp32'),
      'transformers.js q4, Node': await openTransformersJs(exported, 'q4'),
      'Glimpse, workerd': rivalOn(glimpse),
      'ONNX engine q4, workerd': rivalOn(onnx),
    };
    const samples = mapRivals((): Samples => ({
      'new image': [],
      repeat: [],
      token: [],
      'tokens per second': [],
      'peak memory': [],
    }));
    const last = await raceRivals(rivals, picture, rounds, samples);
    for (const [name, server] of [
      ['Glimpse, workerd', glimpse],
      ['ONNX engine q4, workerd', onnx],
    ] as const) {
      const { idle, peak } = server.resident();
      samples[name]['peak memory'].push(peak - idle);
    }
    for (let round = 0; round < 3; round++) {
      samples['Glimpse, Node']['peak memory'].push(peakMemory('glimpse', path, join(BUNDLES, BUNDLE)));
      samples['transformers.js fp32, Node']['peak memory'].push(peakMemory('fp32', path, exported));
      samples['transformers.js q4, Node']['peak memory'].push(peakMemory('q4', path, exported));
    }
    return mapRivals((name) => summary(samples[name], samples[RIVALS[name]], last[name]));
  } finally {
    for (const server of servers) await server.stop();
  }
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
      const rate = Math.max(...again.map(tokensPerSecond));
      const mine = samples[name];
      mine['new image'].push(firstToken(fresh));
      mine.repeat.push(firstToken(again));
      mine.token.push(1000 / rate);
      mine['tokens per second'].push(rate);
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

/** A Worker asked over HTTP, streaming. Tokens come as text, so that the last is the answer's end. */
function rivalOn(server: Server): Rival {
  const seen = new Set<string>();
  return {
    async ask(image) {
      const key = Buffer.from(image.subarray(0, 64)).toString('latin1'); // the comment that a variant begins with
      const { first_token_ms, ms, completion_tokens, answer } = await ask(
        server,
        image,
        seen.has(key) ? 'hit' : 'miss',
      );
      seen.add(key);
      return { first_token_ms, last_token_ms: ms, tokens: completion_tokens, answer };
    },
  };
}

function summary(rival: Samples, ours: Samples, { tokens, answer }: TimedAnswer): RivalResult {
  const byMeasure = (of: (measure: Measure) => Spread) =>
    Object.fromEntries(MEASURES.map((measure) => [measure, of(measure)])) as Record<Measure, Spread>;
  return {
    figures: byMeasure((measure) => spread(rival[measure])),
    tokens_per_second: spread(rival['tokens per second']),
    ratios: byMeasure((measure) => ratio(rival[measure], ours[measure])),
    tokens,
    answer,
  };
}

function mapRivals<T>(of: (name: RivalName) => T): Readonly<Record<RivalName, T>> {
  const names = Object.keys(RIVALS) as RivalName[];
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<RivalName, T>;
}
