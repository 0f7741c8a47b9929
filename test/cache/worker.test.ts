import { createTestHarness } from 'wrangler';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeEntry } from '../../src/cache/entry.ts';

const server = createTestHarness({
  workers: [{ configPath: new URL('worker/wrangler.toml', import.meta.url) }],
});
let url: URL;

beforeAll(async () => {
  ({ url } = await server.listen());
});
afterAll(() => server.close());

interface Found {
  readonly cache: 'hit' | 'miss';
  readonly tier?: string;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

let keys = 0;
/** A key that no test has used. */
const freshKey = (): string => (++keys).toString(16).padStart(64, '0');

function send(path: string, init: RequestInit = { method: 'POST' }): Promise<Response> {
  return fetch(new URL(path, url), init);
}

async function ask(path: string): Promise<Found> {
  const response = await send(path);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Found;
}

/** The same stores under a new isolate. */
async function restart(): Promise<void> {
  await server.update((options) => ({ ...options }));
  ({ url } = await server.listen());
}

async function storedEntry(tier: string, key: string): Promise<Uint8Array<ArrayBuffer>> {
  for (;;) {
    const entry = new Uint8Array(await (await send(`/${tier}/${key}`, { method: 'GET' })).arrayBuffer());
    if (entry.length > 0) return entry;
    await new Promise((next) => setTimeout(next, 20));
  }
}

const embeds = {
  data: Float32Array.of(9, 8, 7, 6, 5, 4),
  shape: [3, 2],
  grid: [0, 0],
  pooler_output: Float32Array.of(3, 2, 1),
} as const;

describe.each(['cache-api', 'kv', 'r2'])('%s', (tier) => {
  test('first a miss, then a hit in memory, then in a new isolate a hit in the tier', async () => {
    const key = freshKey();
    const first = await ask(`/${tier}/${key}?ms=10`);
    expect(first).toMatchObject({ cache: 'miss', shape: [2, 3] });
    expect(await ask(`/${tier}/${key}?ms=10`)).toEqual({ ...first, cache: 'hit', tier: 'memory' });
    await storedEntry(tier, key);
    await restart();
    expect(await ask(`/${tier}/${key}?ms=10`)).toEqual({ ...first, cache: 'hit', tier });
    expect(await ask(`/${tier}/${key}?ms=10`)).toMatchObject({ cache: 'hit', tier: 'memory' });
  });

  test('a lookup finds what is stored and computes nothing', async () => {
    const key = freshKey();
    expect(await ask(`/${tier}/${key}?lookup`)).toBeNull();
    await send(`/${tier}/${key}`, { method: 'PUT', body: await encodeEntry(key, embeds) });
    expect(await ask(`/${tier}/${key}?lookup`)).toMatchObject({ cache: 'hit', tier });
  });

  test('an entry that is damaged, short, long, empty or of another key is a miss, and made good', async () => {
    const foreign = await encodeEntry(freshKey(), embeds);
    const spoilt: ((entry: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>)[] = [
      (entry) => entry.with(-1, 1),
      (entry) => entry.with(0, (entry[0] ?? 0) ^ 128),
      (entry) => entry.with(32, 2), // the shape's first axis
      (entry) => entry.slice(0, -4),
      (entry) => entry.slice(0, 20),
      (entry) => new Uint8Array([...entry, 0, 0, 0, 0]),
      () => Uint8Array.of(0),
      () => foreign,
    ];
    for (const spoil of spoilt) {
      const key = freshKey();
      const body = spoil(await encodeEntry(key, embeds));
      await send(`/${tier}/${key}`, { method: 'PUT', body });
      const found = await ask(`/${tier}/${key}?ms=10`);
      expect(found).toMatchObject({ cache: 'miss', shape: [2, 3] });
      expect(found.data).not.toContain(9);
      const failures = (await (await send('/failures')).json()) as string[];
      expect(failures.at(-1)).toMatch(new RegExp(`^${tier} get: .*${key} is damaged`));
    }
  });
});

describe('one computation for all who ask at a time', () => {
  test('ten at once', async () => {
    const key = freshKey();
    const all = await Promise.all(Array.from({ length: 10 }, () => ask(`/kv/${key}?ms=300`)));
    expect(new Set(all.map(({ data }) => data[0])).size).toBe(1);
    expect(all.map(({ cache }) => cache)).toEqual(Array(10).fill('miss'));
  });

  test('a failure is told to all who waited, and not remembered', async () => {
    const key = freshKey();
    const failing = await Promise.all(Array.from({ length: 3 }, () => send(`/kv/${key}?ms=100&fail`)));
    const texts = await Promise.all(failing.map((response) => response.text()));
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toMatch(/computation \d+ failed/);
    expect(await ask(`/kv/${key}?ms=10`)).toMatchObject({ cache: 'miss' });
  });
});
