import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lazy } from '../src/lazy.ts';
import { inLostContext } from './model/lost-context.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test('a decoder of 23 shards from a slow source is loaded once, for all who wait', async () => {
  const load = vi.fn(async () => {
    for (let shard = 0; shard < 23; shard++) await pause(8_000);
    return 'decoder';
  });
  const decoder = lazy(load);
  const asked = [decoder.get(), decoder.get()];
  await vi.advanceTimersByTimeAsync(23 * 8_000);
  expect(await Promise.all(asked)).toEqual(['decoder', 'decoder']);
  expect(load).toHaveBeenCalledTimes(1);
  expect(decoder.ready).toBe(true);
});

test('what is lost with its context is made by one of those who wait', async () => {
  let lost: Promise<string> | undefined;
  const load = vi.fn<() => Promise<string>>().mockImplementation(() => lost ?? Promise.resolve('decoder'));
  const decoder = lazy(load);
  inLostContext((never) => {
    lost = never;
    void decoder.get();
    lost = undefined;
  });
  const asked = [decoder.get(), decoder.get()];
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await Promise.all(asked)).toEqual(['decoder', 'decoder']);
  expect(load).toHaveBeenCalledTimes(2);
});

test('a failure is not kept', async () => {
  const load = vi.fn<() => Promise<string>>().mockRejectedValueOnce(new Error('no shard'));
  load.mockResolvedValue('decoder');
  const decoder = lazy(load);
  await expect(decoder.get()).rejects.toThrow('no shard');
  expect(await decoder.get()).toBe('decoder');
});
