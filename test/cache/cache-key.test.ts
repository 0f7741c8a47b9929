import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { cacheKey } from '../../src/cache/cache-key.ts';
import type { CacheKeyParts } from '../../src/cache/cache-key.ts';
import { canonicalJson } from '../../src/cache/canonical-json.ts';
import { imageHandle, isImageHandle } from '../../src/cache/image-handle.ts';

const parts: CacheKeyParts = {
  image: `sha256:${'0'.repeat(64)}`,
  preprocessing: { size: { height: 224, width: 224 }, resample: 2, image_mean: [0.5, 0.5, 0.5] },
  bundle_digest: 'd',
  engine_version: '1',
};

test('a handle is the SHA-256 of the bytes', async () => {
  const bytes = new TextEncoder().encode('abc');
  expect(await imageHandle(bytes)).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
});

test.each([
  '',
  'sha256:',
  `sha256:${'a'.repeat(63)}`,
  `sha256:${'a'.repeat(65)}`,
  `SHA256:${'a'.repeat(64)}`,
  `sha256:${'A'.repeat(64)}`,
  `sha256:${'g'.repeat(64)}`,
  `sha256:${'a'.repeat(64)}\n`,
  ` sha256:${'a'.repeat(64)}`,
])('%j is no handle', (text) => {
  expect(isImageHandle(text)).toBe(false);
});

test('the key does not depend on the order in which a configuration names its fields', async () => {
  const preprocessing = { image_mean: [0.5, 0.5, 0.5], resample: 2, size: { width: 224, height: 224 } };
  expect(await cacheKey({ ...parts, preprocessing })).toBe(await cacheKey(parts));
});

test('a configuration that JSON cannot tell is refused', () => {
  for (const value of [NaN, Infinity, -Infinity]) {
    expect(() => canonicalJson({ mean: [value] })).toThrow(TypeError);
  }
});

test('every part counts', async () => {
  const others: Partial<CacheKeyParts>[] = [
    {},
    { image: `sha256:${'1'.repeat(64)}` },
    { preprocessing: { ...(parts.preprocessing as object), resample: 3 } },
    { preprocessing: { size: { height: 224, width: 224 }, resample: 2, image_mean: [0.5, 0.5, 0.50001] } },
    { preprocessing: null },
    { bundle_digest: 'e' },
    { engine_version: '2' },
    { salt: '' },
    { salt: 'null' },
    { salt: 's' },
  ];
  const keys = await Promise.all(others.map((other) => cacheKey({ ...parts, ...other })));
  expect(new Set(keys).size).toBe(others.length);
  for (const key of keys) expect(key).toMatch(/^[0-9a-f]{64}$/);
});

test('no key is shared by different parts, however their texts run together', async () => {
  const random = generator(20261124);
  // Few letters, short texts and JSON's own signs: with mere concatenation many of these would collide.
  const alphabet = ['', 'a', 'b', '"', ',', '\\', '","', '[', ']', 'null', ':', '\u2028', '1'];
  const text = (): string =>
    Array.from({ length: random(3) }, () => alphabet[random(alphabet.length)]).join('');
  const draw = (): CacheKeyParts => ({
    image: `sha256:${text()}`,
    preprocessing:
      [() => text(), () => [text(), text()], () => ({ [text()]: text() }), () => random(3)][random(4)]?.() ??
      null,
    bundle_digest: text(),
    engine_version: text(),
    ...(random(2) ? { salt: text() } : {}),
  });
  const byKey = new Map<string, string>();
  const seen = new Set<string>();
  for (let i = 0; i < 20_000; i++) {
    const drawn = draw();
    const identity = identityOf(drawn);
    const key = await cacheKey(drawn);
    expect(byKey.get(key) ?? identity).toBe(identity);
    byKey.set(key, identity);
    seen.add(identity);
  }
  expect(byKey.size).toBe(seen.size);
  expect(seen.size).toBeGreaterThan(10_000);
});

/** Tells parts apart without JSON: each text with its length and type. */
function identityOf(value: unknown): string {
  if (Array.isArray(value)) return `list ${value.length} ${value.map(identityOf).join(' ')}`;
  if (typeof value !== 'object' || value === null) {
    return `${typeof value} ${String(value).length} ${String(value)}`;
  }
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `object ${identityOf(entries)}`;
}

/** Lehmer's generator: the same numbers in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}
