import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBundle } from '../../src/bundle/bundle.ts';
import { httpSource } from '../../src/bundle/sources/http.ts';
import { SHARDS } from '../model/default-model.ts';
import { BUNDLE, ID, openPlaces, type Place, type PlaceName, type Places } from './places.ts';
import type { TensorFacts } from './tensor-report.ts';

const TEXT_HALF = ['language_model'];
const TEXT_SHARD = SHARDS.text;
const VISION_HALF = [
  'vision_tower.stem',
  'vision_tower.blocks',
  'vision_tower.head',
  'multi_modal_projector',
];

const shard = new Uint8Array(await readFile(join(BUNDLE, TEXT_SHARD)));
const flipped = shard.with(1_000_000, (shard[1_000_000] ?? 0) ^ 1);
const tooLong = new Uint8Array([...shard, 0]);

/** What Hugging Face's safetensors reads: test/fixtures/bundle/make.py. */
const oracle = JSON.parse(await readFile('test/fixtures/bundle/tensors.json', 'utf8')) as Record<
  string,
  TensorFacts
>;
const oracleUnder = (prefixes: readonly string[]) =>
  Object.fromEntries(
    Object.entries(oracle).filter(([name]) => prefixes.some((prefix) => name.startsWith(`${prefix}.`))),
  );

let places: Places;
beforeAll(async () => {
  places = await openPlaces();
});
afterAll(() => places.close());

describe.each<PlaceName>(['file', 'HTTP on Node', 'HTTP in workerd', 'assets', 'R2'])('%s', (name) => {
  let place: Place;
  beforeAll(() => {
    place = places.byName[name];
  });

  test('gives the tensors that safetensors reads, and fetches the shard they lie in once', async () => {
    const text = await place.read(ID, TEXT_HALF);
    expect(text.tensors).toEqual(oracleUnder(TEXT_HALF));
    expect(text.fetched).toMatchObject({ [TEXT_SHARD]: { fetches: 1, bytes: shard.length } });

    const vision = await place.read(ID, VISION_HALF);
    expect(vision.tensors).toEqual(oracleUnder(VISION_HALF));
    expect(Object.keys(vision.fetched ?? {})).toEqual([
      'manifest.json',
      'model.safetensors.index.json',
      SHARDS.vision,
    ]);
  });

  test.each([
    ['missing', undefined, /is missing|could not be fetched/], // workerd's assets answer a deleted file with 500
    ['short', shard.subarray(0, 1_000_000), `only 1000000 of its ${shard.length} bytes`],
    ['altered in one bit', flipped, /SHA-256/],
    ['too long', tooLong, `longer than ${shard.length} bytes`],
  ])('a shard that is %s is named, and the next call after the repair succeeds', async (_, bytes, why) => {
    await place.put(TEXT_SHARD, bytes);
    try {
      const { error, tensors } = await place.read(ID, TEXT_HALF);
      expect(tensors).toBeUndefined();
      expect(error?.code).toBe('shard_unavailable');
      expect(error?.message).toContain(TEXT_SHARD);
      expect(error?.message).toMatch(why);
      expect((await place.read(ID, VISION_HALF)).error).toBeUndefined();
    } finally {
      await place.put(TEXT_SHARD, shard);
    }
    expect((await place.read(ID, TEXT_HALF)).tensors).toEqual(oracleUnder(TEXT_HALF));
  });

  test('a bundle that is not there is named', async () => {
    const { error } = await place.read('glimpse-11m', TEXT_HALF);
    expect(error?.code).toBe('shard_unavailable');
    expect(error?.message).toMatch(/manifest\.json of the model bundle "glimpse-11m" is missing/);
  });
});

describe('HTTP', () => {
  // On Node alone: wrangler's test harness follows redirects itself, before workerd sees them.
  test.each([
    ['moved', 'answered with HTTP status 302'],
    ['broken', 'answered with HTTP status 503'],
  ])('an origin that answers /%s/ is not believed, nor followed', async (path, why) => {
    const opening = openBundle(httpSource(`${places.address}/${path}`), ID);
    await expect(opening).rejects.toMatchObject({ code: 'shard_unavailable', cause: { message: why } });
  });

  test('an origin that stalls is left when the signal says so', async () => {
    const opening = openBundle(httpSource(`${places.address}/stalled`), ID, {
      signal: AbortSignal.timeout(100),
    });
    await expect(opening).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('takes https, and http of this machine alone', () => {
    expect(() => httpSource('https://models.example/bundles')).not.toThrow();
    expect(() => httpSource('http://localhost:8080')).not.toThrow();
    expect(() => httpSource('http://models.example/bundles')).toThrow(/https/);
    expect(() => httpSource('ftp://localhost/')).toThrow(/https/);
  });
});
