import { crc32, deflateSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import type { CacheTier } from '../../src/cache/cache-tier.ts';
import { createEmbedsCache } from '../../src/cache/embeds-cache.ts';
import { imageHandle } from '../../src/cache/image-handle.ts';
import { createEmbedImage, type EmbedImage } from '../../src/pipeline/embed-image.ts';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import { preprocessImage } from '../../src/image/preprocess.ts';
import { preprocessorConfigSchema } from '../../src/image/preprocessor-config.ts';
import { createEngine } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { modelsOn } from '../../src/model/create-model.ts';
import { requireGenerative } from '../../src/pipeline/bundle-kinds.ts';
import { loadBundle, type LoadedBundle } from '../../src/pipeline/loaded-bundle.ts';
import type { PixelValues } from '../../src/model/types.ts';
import { createFetchRemoteImage } from '../../src/remote-image/fetch-remote-image.ts';
import { createStopwatch } from '../../src/pipeline/timings.ts';
import { uniform } from '../reference/random.ts';
import { faultySource, readBundle } from './faulty-source.ts';

// No cached value is ever served for another image, bundle, preprocessing or salt: random walks of isolates
// that come, ask at a time and go, over one tier whose entries an adversary swaps, replays and damages.

const SEEDS = 40;
const STEPS = 60;
const SIDE = 4;

type Bytes = Uint8Array<ArrayBuffer>;
const SALTS = [undefined, 'a', 'b'] as const;
const images = [0, 60, 120, 180].map((grey) => png(grey));
const bundles = await makeBundles();

const seen = { hits: 0, misses: 0, handles: 0, unknown: 0 };
afterAll(() => {
  // The walks came everywhere; else they would show nothing.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(100);
});

test.each(Array.from({ length: SEEDS }, (_, seed) => seed))('walk %i', async (seed) => {
  const random = uniform(seed);
  const below = (count: number): number => Math.floor(random() * count);
  const pick = <T>(list: readonly T[]): T => {
    const item = list[below(list.length)];
    return item as T;
  };
  const entries = new Map<string, Bytes>();
  const replayed: Bytes[] = [];
  const tier = sharedTier(entries, replayed, random);
  let isolates = [startIsolate(tier), startIsolate(tier)];
  const embedded = new Set<string>();

  const ask = async (): Promise<void> => {
    const [isolate, image, bundle, salt] = [pick(isolates), pick(images), pick(bundles), pick(SALTS)];
    const context = {
      signal: new AbortController().signal,
      waitUntil: () => undefined,
      ...(salt === undefined ? {} : { cache_salt: salt }),
    };
    const handle = await imageHandle(image);
    const name = JSON.stringify([handle, bundle.name, salt]);
    const byHandle = random() < 0.4;
    try {
      const input = byHandle ? { handle } : { bytes: image };
      if (!byHandle) embedded.add(name);
      const found = await isolate(
        input,
        bundle.loaded,
        context,
        createStopwatch(() => undefined),
      );
      expect(found.image).toBe(handle);
      expect([...found.image_embeds.data]).toEqual([...(await expected(image, bundle))]);
      seen[found.cache === 'hit' ? 'hits' : 'misses'] += 1;
      if (byHandle) {
        expect(embedded.has(name)).toBe(true); // under this salt, by this bundle
        seen.handles += 1;
      }
    } catch (error) {
      expect(error).toMatchObject({ code: 'image_not_found' });
      expect(byHandle).toBe(true);
      seen.unknown += 1;
    }
  };
  const tamper = (): void => {
    if (entries.size === 0) return;
    const [one, two] = [pick([...entries.keys()]), pick([...entries.keys()])];
    const [a, b] = [entries.get(one), entries.get(two)];
    if (a === undefined || b === undefined) return;
    const tricks = [
      () => entries.set(one, b).set(two, a),
      () => entries.set(one, b),
      () => entries.set(one, pick(replayed)),
      () => entries.set(one, a.with(below(a.length), below(256))),
      () => entries.set(one, new Uint8Array([...a.subarray(0, a.length >> 1), ...b.subarray(b.length >> 1)])),
      () => entries.set(one, new Uint8Array([...b.subarray(0, 32), ...a.subarray(32)])),
      () => entries.set(one, a.slice(0, below(a.length))),
      () => entries.delete(one),
    ];
    pick(tricks)();
  };

  for (let step = 0; step < STEPS; step += 1) {
    const what = random();
    if (what < 0.6) await Promise.all(Array.from({ length: 1 + below(4) }, ask));
    else if (what < 0.9) tamper();
    else isolates = [startIsolate(tier), pick(isolates)];
  }
});

/** A store that is slow at random, so that what runs at a time interleaves, and at times fails. */
function sharedTier(entries: Map<string, Bytes>, replayed: Bytes[], random: () => number): CacheTier {
  const turn = async (): Promise<void> => {
    if (random() < 0.1) throw new Error('not now');
    if (random() < 0.5) await new Promise((next) => setImmediate(next));
  };
  return {
    name: 'kv',
    async get(key) {
      await turn();
      return entries.get(key)?.slice();
    },
    async put(key, entry) {
      await turn();
      entries.set(key, entry.slice());
      replayed.push(entry.slice());
    },
  };
}

function startIsolate(tier: CacheTier): EmbedImage {
  return createEmbedImage({
    cache: createEmbedsCache({ max_bytes: 3 * 100, tier, onError: () => undefined }), // room for a few
    limits: DEFAULT_LIMITS,
    fetchRemoteImage: createFetchRemoteImage({ hosts: [] }),
  });
}

interface Variant {
  readonly name: string;
  readonly loaded: LoadedBundle;
  readonly weight: number;
}

/** Two bundles, each with two ways of preprocessing. The vision stage is a sum that tells them all apart. */
async function makeBundles(): Promise<readonly Variant[]> {
  const source = faultySource(await readBundle('model-shards/glimpse-10m'));
  const bundle = await loadBundle(
    source,
    'glimpse-10m',
    modelsOn(() => createEngine(nodeKernelModules, 2 ** 26)),
  );
  const real = requireGenerative(bundle);
  const size = { height: SIDE, width: SIDE };
  const plain = { size, resample: 2, do_normalize: false };
  const normalized = { size, resample: 2, image_mean: [0.5, 0.5, 0.5], image_std: [0.25, 0.25, 0.25] };
  return [1, 2].flatMap((weight) =>
    [plain, normalized].map((preprocessing): Variant => {
      const encode = (pixels: PixelValues) => Promise.resolve(weighted(pixels, weight));
      return {
        name: `${weight} ${JSON.stringify(preprocessing)}`,
        weight,
        loaded: {
          ...real,
          digest: String(weight),
          preprocessing,
          preprocessor_config: preprocessorConfigSchema.parse(preprocessing),
          model: { ...real.model, encoder: () => Promise.resolve({ encode }) },
        },
      };
    }),
  );
}

function weighted(pixel_values: PixelValues, weight: number) {
  const data = pixel_values.read(0);
  return {
    data: data.slice(0, 4).map((value) => value * weight + weight),
    shape: [2, 2] as const,
    grid: [0, 0] as const,
    pooler_output: data.slice(0, 3),
  };
}

/** Without any cache. */
async function expected(image: Bytes, { loaded, weight }: Variant): Promise<Float32Array> {
  return weighted(await preprocessImage(image, loaded.preprocessor_config, DEFAULT_LIMITS), weight).data;
}

/** One grey, 2 by 2 pixels. */
function png(grey: number): Bytes {
  const chunk = (type: string, data: Uint8Array): Uint8Array => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    crc.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, crc]);
  };
  const header = Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 2, 8, 0, 0, 0, 0);
  const rows = deflateSync(Uint8Array.of(0, grey, grey, 0, grey, grey));
  const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
  return new Uint8Array(
    Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', new Uint8Array(0))]),
  );
}
