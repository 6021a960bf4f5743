import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DeadlineError } from '@tagplane/runtime';
import { within } from './within.ts';

const never = new Promise<never>(() => undefined);

describe('within', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    // Neither a timer nor a listener outlives a call.
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('passes on what the work came to', async () => {
    const { signal } = new AbortController();
    const failure = new Error('failed');
    expect(await within({ signal, timeoutMs: 10 }, Promise.resolve(1))).toBe(1);
    await expect(within({ signal, timeoutMs: 10 }, Promise.reject(failure))).rejects.toBe(failure);
  });

  it('rejects with a DeadlineError when the time is over', async () => {
    const { signal } = new AbortController();
    const rejects = expect(within({ signal, timeoutMs: 10 }, never)).rejects.toThrow(DeadlineError);
    await jest.advanceTimersByTimeAsync(10);
    await rejects;
  });

  it('rejects every call of a signal that aborts, and one that comes later', async () => {
    const stop = new AbortController();
    const limits = { signal: stop.signal, timeoutMs: 10 };
    const reason = new Error('stop');
    const calls = [within(limits, never), within(limits, never)];
    await within(limits, Promise.resolve());
    stop.abort(reason);
    for (const call of [...calls, within(limits, never)]) await expect(call).rejects.toBe(reason);
  });

  it('listens to a signal once, and only while calls wait', async () => {
    const { signal } = new AbortController();
    const add = jest.spyOn(signal, 'addEventListener');
    const remove = jest.spyOn(signal, 'removeEventListener');
    const work = Promise.withResolvers<number>();
    const calls = [1, 2, 3].map(() => within({ signal, timeoutMs: 10 }, work.promise));
    expect(add).toHaveBeenCalledTimes(1);
    work.resolve(4);
    expect(await Promise.all(calls)).toEqual([4, 4, 4]);
    expect(remove).toHaveBeenCalledTimes(1);
  });
});
