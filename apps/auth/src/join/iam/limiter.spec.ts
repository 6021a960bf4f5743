import { describe, expect, it } from '@jest/globals';
import { createLimiter } from './limiter.ts';

const signal = new AbortController().signal;

describe('createLimiter', () => {
  it('runs so many at once, the others in their order', async () => {
    const limiter = createLimiter(2);
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<undefined>());
    const started: number[] = [];
    const ends = gates.map((gate, n) =>
      limiter.run(async () => {
        started.push(n);
        await gate.promise;
        return n;
      }, signal),
    );
    expect(started).toEqual([0, 1]);
    gates[1]?.resolve(undefined);
    await ends[1];
    await Promise.resolve();
    expect(started).toEqual([0, 1, 2]);
    for (const gate of gates) gate.resolve(undefined);
    expect(await Promise.all(ends)).toEqual([0, 1, 2, 3, 4]);
    expect(started).toEqual([0, 1, 2, 3, 4]);
    expect(await limiter.run(() => Promise.resolve('free'), signal)).toBe('free');
  });

  it('frees the place of one that fails', async () => {
    const limiter = createLimiter(1);
    await expect(limiter.run(() => Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
    expect(await limiter.run(() => Promise.resolve('free'), signal)).toBe('free');
  });

  it('lets those go that wait no longer', async () => {
    const limiter = createLimiter(1);
    const gate = Promise.withResolvers<undefined>();
    const first = limiter.run(() => gate.promise, signal);
    const stop = new AbortController();
    const waiting = limiter.run(() => Promise.resolve('late'), stop.signal);
    stop.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await expect(limiter.run(() => Promise.resolve(1), stop.signal)).rejects.toThrow('gone');
    gate.resolve(undefined);
    await first;
    expect(await limiter.run(() => Promise.resolve('free'), signal)).toBe('free');
  });
});
