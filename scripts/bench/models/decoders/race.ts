import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ratio, spread, type Spread } from '../../harness.ts';
import type { BenchedBundle } from '../../pipeline.ts';
import { writeGguf } from './files.ts';
import { DECODERS, openDecoder, type DecoderName, type DecoderSetup } from './open.ts';
import { ANSWER_TOKENS, PROMPT_IDS } from './prompt.ts';
import type { DecoderRival } from './rival.ts';

export const DECODER_MEASURES = ['first token', 'token', 'peak memory'] as const;
export type DecoderMeasure = (typeof DECODER_MEASURES)[number];

export interface DecoderRivalResult {
  /** Milliseconds; memory in bytes. */
  readonly figures: Readonly<Record<DecoderMeasure, Spread>>;
  readonly tokens_per_second: Spread;
  /** Times as much as Glimpse, round by round. */
  readonly ratios: Readonly<Record<DecoderMeasure, Spread>>;
  /** How many tokens are the same as Glimpse's before the first that is not. */
  readonly same_tokens: number;
  /** Pearson's, of what follows the prompt, with Glimpse's logits. */
  readonly logits_correlation: number;
}
export type DecodersResult = Readonly<Record<DecoderName, DecoderRivalResult>>;

type Samples = Record<DecoderMeasure, number[]>;

/**
 * A bundle's decoder alone in four engines, in turns on the same ids.
 * @param folder where its graphs lie
 */
export async function raceDecoders(
  bundle: BenchedBundle,
  folder: string,
  rounds: number,
): Promise<DecodersResult> {
  const config = await writeGguf(bundle, folder);
  const setup = { bundle, folder, config, positions: 256 };
  const rivals = {} as Record<DecoderName, DecoderRival>;
  for (const name of DECODERS) rivals[name] = await openDecoder(name, setup);
  const samples = byDecoder((): Samples => ({ 'first token': [], token: [], 'peak memory': [] }));
  const ids = {} as Record<DecoderName, readonly number[]>;
  const logits = {} as Record<DecoderName, Float32Array>;
  for (const name of DECODERS) {
    logits[name] = await rivals[name].logits(PROMPT_IDS); // warms up
    ids[name] = (await rivals[name].continue(PROMPT_IDS, ANSWER_TOKENS)).ids;
  }
  for (let round = 0; round < rounds; round++) {
    const first = round % DECODERS.length;
    for (const name of [...DECODERS.slice(first), ...DECODERS.slice(0, first)]) {
      const { first_token_ms, token_ms } = await fastest(rivals[name]);
      samples[name]['first token'].push(first_token_ms);
      samples[name].token.push(token_ms);
    }
  }
  for (const name of DECODERS) await rivals[name].release();
  for (const name of DECODERS) samples[name]['peak memory'].push(peakMemory(name, setup));

  const ours = samples.Glimpse;
  return byDecoder((name) => ({
    figures: byMeasure((measure) => spread(samples[name][measure])),
    tokens_per_second: spread(samples[name].token.map((ms) => 1000 / ms)),
    ratios: byMeasure((measure) => ratio(samples[name][measure], ours[measure])),
    same_tokens: sameBeginning(ids[name], ids.Glimpse),
    logits_correlation: correlation(logits[name], logits.Glimpse),
  }));
}

const SLOT_MS = 1000;

/** Of a round's calls, as many as begin in its slot: what else the machine does falls on some. */
async function fastest(
  rival: DecoderRival,
): Promise<{ readonly first_token_ms: number; readonly token_ms: number }> {
  let [first_token_ms, token_ms] = [Infinity, Infinity];
  const end = performance.now() + SLOT_MS;
  do {
    const took = await rival.continue(PROMPT_IDS, ANSWER_TOKENS);
    first_token_ms = Math.min(first_token_ms, took.first_token_ms);
    token_ms = Math.min(token_ms, took.token_ms);
  } while (performance.now() < end);
  return { first_token_ms, token_ms };
}

function peakMemory(name: DecoderName, setup: DecoderSetup): number {
  const script = join(import.meta.dirname, 'child.ts');
  const output = execFileSync(process.execPath, [script, name, JSON.stringify(setup)], { encoding: 'utf8' });
  return Number(output);
}

function sameBeginning(ids: readonly number[], ours: readonly number[]): number {
  const parting = ids.findIndex((id, i) => id !== ours[i]);
  return parting < 0 ? ids.length : parting;
}

function correlation(a: Float32Array, b: Float32Array): number {
  const centred = (values: Float32Array): Float64Array => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return Float64Array.from(values, (value) => value - mean);
  };
  const [x, y] = [centred(a), centred(b)];
  const dot = (p: Float64Array, q: Float64Array): number =>
    p.reduce((sum, value, i) => sum + value * (q[i] ?? NaN), 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

function byDecoder<T>(of: (name: DecoderName) => T): Readonly<Record<DecoderName, T>> {
  return Object.fromEntries(DECODERS.map((name) => [name, of(name)])) as Record<DecoderName, T>;
}

function byMeasure(of: (measure: DecoderMeasure) => Spread): Readonly<Record<DecoderMeasure, Spread>> {
  return Object.fromEntries(DECODER_MEASURES.map((measure) => [measure, of(measure)])) as Record<
    DecoderMeasure,
    Spread
  >;
}
