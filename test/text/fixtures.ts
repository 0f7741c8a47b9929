import { readFileSync } from 'node:fs';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { mersenne } from 'pure-rand/generator/mersenne';
import { createTokenizer, type Tokenizer } from '../../src/text/tokenizer.ts';

/** A JSON file of the default bundle. */
export function readBundle(name: string): Record<string, unknown> {
  return readJson(`../../model-shards/glimpse-10m/${name}`) as Record<string, unknown>;
}

/** What Python's tokenizers and transformers recorded (make.py beside the files). */
export function readFixture(name: string): unknown {
  return readJson(`../fixtures/text/${name}`);
}

export function createBundleTokenizer(): Tokenizer {
  return createTokenizer(readBundle('tokenizer.json'), readBundle('tokenizer_config.json'));
}

export interface Encoding {
  readonly text: string;
  /** Special tokens in the text taken as text. */
  readonly plain: number[];
  /** Special tokens in the text taken as special tokens. */
  readonly special: number[];
}

/** The numbers of one random sequence in [0, 1). */
export function randomNumbers(seed: number): () => number {
  const generator = mersenne(seed);
  return () => uniformFloat64(generator);
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
}
