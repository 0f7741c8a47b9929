import { expect, test } from 'vitest';
import { createMutex } from '../../src/model/mutex.ts';

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
  void mutex(() => new Promise(() => undefined));
  expect(await mutex(() => Promise.resolve('the next'))).toBe('the next');
});
