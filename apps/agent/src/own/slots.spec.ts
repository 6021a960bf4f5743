import { describe, expect, it } from '@jest/globals';
import { Slots } from './slots.ts';

const never = new AbortController().signal;

describe('Slots', () => {
  it('lets no more run than there are, in order, and all in the end', async () => {
    const slots = new Slots(2);
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const work = async (index: number): Promise<number> => {
      order.push(index);
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      if (index === 1) throw new Error('failed');
      return index;
    };
    const all = await Promise.allSettled([0, 1, 2, 3, 4].map((index) => slots.use(() => work(index), never)));
    expect(all.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
    ]);
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(most).toBe(2);
  });

  it('gives a place that was given up to the next', async () => {
    const slots = new Slots(1);
    const held = Promise.withResolvers<undefined>();
    const first = slots.use(() => held.promise, never);
    const stop = new AbortController();
    const second = slots.use(() => Promise.resolve('second'), stop.signal);
    const third = slots.use(() => Promise.resolve('third'), never);
    stop.abort(new Error('stopped'));
    await expect(second).rejects.toThrow('stopped');
    held.resolve(undefined);
    await first;
    expect(await third).toBe('third');
    expect(await slots.use(() => Promise.resolve('free'), never)).toBe('free');
  });
});
