import { readFileSync } from 'node:fs';
import { preprocessorConfigSchema, type PreprocessorConfig } from '../../src/image/preprocessor-config.ts';

/** A picture that test/fixtures/image/make.py wrote, and what Pillow makes of it under `config`. */
export interface Case {
  readonly name: string;
  readonly picture: Uint8Array;
  readonly expected: Uint8Array; // [height, width, 3]
  readonly config: PreprocessorConfig;
}

interface Entry {
  readonly name: string;
  readonly file: readonly [offset: number, length: number];
  readonly expected: readonly [offset: number, length: number];
  readonly config: unknown;
}

const read = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../fixtures/${path}`, import.meta.url)));

const pictures = read('image/pictures.bin');
const expected = read('image/expected.bin');
const entries = JSON.parse(new TextDecoder().decode(read('image/cases.json'))) as readonly Entry[];

const cut = (bytes: Uint8Array, [offset, length]: Entry['file']): Uint8Array =>
  bytes.slice(offset, offset + length);

export const cases: readonly Case[] = entries.map((entry) => ({
  name: entry.name,
  picture: cut(pictures, entry.file),
  expected: cut(expected, entry.expected),
  config: preprocessorConfigSchema.parse(entry.config),
}));

export function pictureOf(name: string): Uint8Array {
  const found = cases.find((one) => one.name === name);
  if (!found) throw new Error(`no picture ${name}`);
  return found.picture.slice();
}

export const photo = (name: string): Uint8Array => read(`photos/${name}`);

/** preprocessor_config.json of the default model. */
export const DEFAULT_CONFIG = {
  do_resize: true,
  size: { height: 224, width: 224 },
  resample: 2,
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: [127 / 255, 127 / 255, 127 / 255],
  image_std: [128 / 255, 128 / 255, 128 / 255],
};
