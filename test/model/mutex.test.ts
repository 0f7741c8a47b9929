import { afterEach, expect, test, vi } from 'vitest';
import { createMutex } from '../../src/model/mutex.ts';
import { inLostContext } from './lost-context.ts';

afterEach(() => void vi.useRealTimers());

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

test('tasks run one after the other, in order, also behind one that fails', async () => {
  const mutex = createMutex();
  const order: string[] = [];
  const run = (name: string) =>
    mutex(async () => {
      order.push(`${name} begins`);
      await turn();
      order.push(`${name} ends`);
      if (name === 'b') throw new Error('b');
    });
  const [a, b, c] = [run('a'), run('b'), run('c')];
  await a;
  await expect(b).rejects.toThrow('b');
  await c;
  expect(order).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test('a task whose request was cancelled, so that it never ends, keeps nobody for ever', async () => {
  const mutex = createMutex(20);
  inLostContext((never) => void mutex(() => never));
  expect(await mutex(() => Promise.resolve('the next'))).toBe('the next');
});

test('a long task is waited for, also by who stands behind one that waits', async () => {
  vi.useFakeTimers();
  const mutex = createMutex();
  let running = 0;
  const encode = async (milliseconds: number) => {
    running += 1;
    expect(running).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    running -= 1;
  };
  const images = [56_000, 56_000, 1_000].map((milliseconds) => mutex(() => encode(milliseconds)));
  await vi.advanceTimersByTimeAsync(113_000);
  await Promise.all(images);
});
