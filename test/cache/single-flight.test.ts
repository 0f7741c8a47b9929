import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBareWorkerd } from './bare-workerd.ts';
import type { BareWorkerd } from './bare-workerd.ts';

let runtime: BareWorkerd;

beforeAll(async () => {
  runtime = await startBareWorkerd(new URL('worker/single-flight.ts', import.meta.url));
});
afterAll(() => runtime.close());

/** @returns how many times the work was begun for this key. */
async function ask(key: string): Promise<number> {
  return (await (await fetch(new URL(key, runtime.url))).json()) as number;
}

/** One client begins the work and leaves in its midst; two others wait for it. */
async function leftInTheMidst(key: string, query: string): Promise<number[]> {
  const leaver = new AbortController();
  const leaving = await fetch(new URL(`${key}?${query}`, runtime.url), { signal: leaver.signal });
  const waiting = Promise.all([ask(key), ask(key)]);
  await new Promise((next) => setTimeout(next, 200));
  leaver.abort();
  await expect(leaving.text()).rejects.toThrow('abort');
  return waiting;
}

test('ten at once share one work', async () => {
  expect(await Promise.all(Array.from({ length: 10 }, () => ask('/ten')))).toEqual(Array(10).fill(1));
});

test('the work goes on for the others when the client who began it leaves', async () => {
  expect(await leftInTheMidst('/left', 'ticking')).toEqual([1, 1]);
});

test('work that dies with its context is done once more by those who wait', async () => {
  expect(await leftInTheMidst('/died', 'ticking&forgetful')).toEqual([2, 2]);
});

test('what has ended is forgotten', async () => {
  expect(await ask('/again')).toBe(1);
  expect(await ask('/again')).toBe(2);
});
