import { describe, expect, it } from 'vitest';
import { createAnswerBudget } from '../../src/admission/admission.ts';
import { createBudget, holding, type Applicant } from '../../src/admission/budget.ts';
import { createCallerBound } from '../../src/admission/caller-bound.ts';

const someone: Applicant = { signal: new AbortController().signal, waitUntil: () => undefined };
const OPTIONS = { capacity: 10, max_waiting: 3, max_wait: 1000 };
const busy = { code: 'overloaded' };

/** In which order those who wait are let in. */
function queue(budget: ReturnType<typeof createBudget>) {
  const order: string[] = [];
  const enter = async (name: string, amount: number, applicant = someone) => {
    const permit = await budget.acquire(amount, applicant);
    order.push(name);
    return permit;
  };
  return { order, enter };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('a budget', () => {
  it('lets in what fits and makes the rest wait, first come, first served', async () => {
    const budget = createBudget(OPTIONS);
    const { order, enter } = queue(budget);
    const [first] = await Promise.all([enter('a', 6), enter('b', 4)]);
    const waiting = [enter('large', 6), enter('small', 1)];
    await turn();
    expect([budget.held, budget.waiting, order]).toEqual([10, 2, ['a', 'b']]);
    first.release();
    const [large] = await Promise.all([waiting[0]]);
    expect(order).toEqual(['a', 'b', 'large']); // small would have fitted sooner, and large never
    large?.release();
    await waiting[1];
    expect(budget).toMatchObject({ held: 5, waiting: 0 });
  });

  it('lets whoever asks for more than there is in alone', async () => {
    const budget = createBudget(OPTIONS);
    const permit = await budget.acquire(1000, someone);
    expect(budget.held).toBe(10);
    permit.release();
    permit.release();
    expect(budget.held).toBe(0);
  });

  it('refuses when too many wait, and when one has waited too long', async () => {
    const budget = createBudget({ ...OPTIONS, max_wait: 20 });
    const permit = await budget.acquire(10, someone);
    const waiting = [1, 2, 3].map((amount) => budget.acquire(amount, someone));
    await expect(budget.acquire(1, someone)).rejects.toMatchObject(busy);
    for (const each of waiting) await expect(each).rejects.toMatchObject(busy);
    permit.release();
    expect(budget).toMatchObject({ held: 0, waiting: 0 });
  });

  it('forgets who has left, and lets in who stood behind', async () => {
    const budget = createBudget(OPTIONS);
    const { order, enter } = queue(budget);
    await enter('a', 8);
    const leaver = new AbortController();
    const left = enter('left', 10, { ...someone, signal: leaver.signal });
    const behind = enter('behind', 2);
    leaver.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    await behind;
    expect(order).toEqual(['a', 'behind']);
    await expect(budget.acquire(1, { ...someone, signal: leaver.signal })).rejects.toThrow('gone');
    expect(budget).toMatchObject({ held: 10, waiting: 0 });
  });

  it('has back what failing work held', async () => {
    const budget = createBudget(OPTIONS);
    const failing = holding(await budget.acquire(10, someone), () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(budget.held).toBe(0);
  });

  it('never holds more than its capacity, whoever comes and goes', async () => {
    const budget = createBudget({ capacity: 10, max_waiting: 1000, max_wait: 10_000 });
    let highest = 0;
    const come = async (i: number): Promise<void> => {
      const leaver = new AbortController();
      if (i % 7 === 0) setTimeout(() => leaver.abort(), i % 11);
      const permit = await budget.acquire(1 + (i % 9), { ...someone, signal: leaver.signal });
      highest = Math.max(highest, budget.held);
      await new Promise((resolve) => setTimeout(resolve, i % 3));
      permit.release();
    };
    await Promise.allSettled(Array.from({ length: 500 }, (_, i) => come(i)));
    expect(budget).toMatchObject({ held: 0, waiting: 0 });
    expect(highest).toBeGreaterThan(5);
    expect(highest).toBeLessThanOrEqual(10);
  });
});

it('a short answer does not stand behind long ones', async () => {
  const answers = createAnswerBudget();
  const decoder = { bytes_per_position: 12 * 1024 };
  const long = Array.from({ length: 10 }, () => answers.acquire(decoder, 250, 8, someone).then(() => 'long'));
  expect(
    await Promise.race([...long.slice(1), answers.acquire(decoder, 12, 1, someone).then(() => 'short')]),
  ).toBe('short');
});

it('answers go on side by side as the size of their keys and values allows', () => {
  const answers = createAnswerBudget();
  expect(answers.branches({ bytes_per_position: 12 * 1024 }, 100)).toBe(6);
  expect(answers.branches({ bytes_per_position: 45 * 1024 }, 100)).toBe(1);
});

it('one caller has so many requests at once, and others are not counted with his', () => {
  const bound = createCallerBound(2);
  const [first] = [bound.enter('a'), bound.enter('a')];
  expect(() => bound.enter('a')).toThrow(expect.objectContaining({ code: 'too_many_requests' }));
  bound.enter('b');
  first.release();
  first.release();
  bound.enter('a');
  expect(() => bound.enter('a')).toThrow();
});
