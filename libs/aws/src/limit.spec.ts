import { describe, expect, it } from '@jest/globals';
import { createLimit } from './limit.ts';

const { signal } = new AbortController();

describe('createLimit', () => {
  it('lets so many through at once, and the others in their order', async () => {
    const limit = createLimit(2);
    const order: number[] = [];
    const first = await limit.acquire(signal);
    const second = await limit.acquire(signal);
    const waiting = [3, 4].map(async (number) => {
      const turn = await limit.acquire(signal);
      order.push(number);
      return turn;
    });
    await Promise.resolve();
    expect(order).toEqual([]);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    (await waiting[0])?.[Symbol.dispose]();
    (await waiting[1])?.[Symbol.dispose]();
    expect(order).toEqual([3, 4]);
    second[Symbol.dispose]();
    using _one = await limit.acquire(signal);
    using _two = await limit.acquire(signal);
  });

  it('lets go of those that give up', async () => {
    const limit = createLimit(1);
    const held = await limit.acquire(signal);
    const stop = new AbortController();
    const gone = limit.acquire(stop.signal);
    const next = limit.acquire(signal);
    stop.abort(new Error('enough'));
    await expect(gone).rejects.toThrow('enough');
    held[Symbol.dispose]();
    using _turn = await next;
    await expect(limit.acquire(stop.signal)).rejects.toThrow('enough');
  });
});
