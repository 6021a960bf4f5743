import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { getEventListeners } from 'node:events';
import { DeadlineError, HOUR, MINUTE, SECOND, deadline, fullJitter, jittered, sleep } from './time.ts';

const DAY = 24 * HOUR;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}

/** What became of a promise by now. */
function observe(promise: Promise<void>): { outcome: unknown } {
  const observed: { outcome: unknown } = { outcome: 'pending' };
  promise.then(
    () => (observed.outcome = 'resolved'),
    (error: unknown) => (observed.outcome = error),
  );
  return observed;
}

describe('sleep', () => {
  it('takes its time in virtual time, and not a millisecond less', async () => {
    const observed = observe(sleep(5 * MINUTE, new AbortController().signal));
    await jest.advanceTimersByTimeAsync(5 * MINUTE - 1);
    expect(observed.outcome).toBe('pending');
    await jest.advanceTimersByTimeAsync(1);
    expect(observed.outcome).toBe('resolved');
  });

  it.each([0, -1])('of %d ends with the next turn', async (ms) => {
    const observed = observe(sleep(ms, new AbortController().signal));
    expect(observed.outcome).toBe('pending');
    await jest.advanceTimersByTimeAsync(1);
    expect(observed.outcome).toBe('resolved');
  });

  it('waits longer than one timer can', async () => {
    const observed = observe(sleep(60 * DAY, new AbortController().signal));
    await jest.advanceTimersByTimeAsync(60 * DAY - 1);
    expect(observed.outcome).toBe('pending');
    await jest.advanceTimersByTimeAsync(1);
    expect(observed.outcome).toBe('resolved');
  });

  it.each([1_000, 60 * DAY, Infinity])('of %d ends at once with the reason of an abort', async (ms) => {
    const stop = new AbortController();
    const reason = new Error('stop');
    const observed = observe(sleep(ms, stop.signal));
    await jest.advanceTimersByTimeAsync(Math.min(ms - 1, 30 * DAY));
    stop.abort(reason);
    await jest.advanceTimersByTimeAsync(0);
    expect(observed.outcome).toBe(reason);
    expect(jest.getTimerCount()).toBe(0);
    expect(listeners(stop.signal)).toBe(0);
  });

  it('rejects without a timer when the signal has aborted before', async () => {
    const reason = new Error('stop');
    await expect(sleep(1_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('refuses what is no number, which a timer would take for 1 ms', async () => {
    await expect(sleep(Number.NaN, new AbortController().signal)).rejects.toThrow(RangeError);
  });

  it('leaves nothing on a signal that lives for days', async () => {
    const { signal } = new AbortController();
    for (let round = 0; round < 200; round += 1) {
      const slept = sleep(SECOND, signal);
      expect(listeners(signal)).toBe(1);
      await jest.advanceTimersByTimeAsync(SECOND);
      await slept;
    }
    expect(listeners(signal)).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('deadline', () => {
  it('aborts with a DeadlineError when the time is up', async () => {
    const outer = new AbortController();
    using limit = deadline(outer.signal, 10 * SECOND);
    await jest.advanceTimersByTimeAsync(10 * SECOND - 1);
    expect(limit.signal.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(limit.signal.reason).toBeInstanceOf(DeadlineError);
    expect(limit.signal.reason).toMatchObject({ message: 'not done within 10000 ms' });
    expect(outer.signal.aborted).toBe(false);
    expect(listeners(outer.signal)).toBe(0);
  });

  it('aborts with the outer reason, and keeps it', async () => {
    const outer = new AbortController();
    const reason = new Error('stop');
    using limit = deadline(outer.signal, 10 * SECOND);
    outer.abort(reason);
    expect(limit.signal.reason).toBe(reason);
    await jest.advanceTimersByTimeAsync(HOUR);
    expect(limit.signal.reason).toBe(reason);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('of an aborted signal has aborted, and waits for nothing', () => {
    const reason = new Error('stop');
    using limit = deadline(AbortSignal.abort(reason), SECOND);
    expect(limit.signal.reason).toBe(reason);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('never aborts once disposed of', async () => {
    const outer = new AbortController();
    const limit = deadline(outer.signal, SECOND);
    limit[Symbol.dispose]();
    outer.abort();
    await jest.advanceTimersByTimeAsync(HOUR);
    expect(limit.signal.aborted).toBe(false);
  });

  it('leaves nothing on a signal that lives for days', () => {
    const { signal } = new AbortController();
    for (let round = 0; round < 200; round += 1) {
      using limit = deadline(signal, SECOND);
      expect(limit.signal.aborted).toBe(false);
      expect(listeners(signal)).toBe(1);
    }
    expect(listeners(signal)).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });
});

/** Math.random's range: 1 excluded. */
const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('jittered', () => {
  it('stays within the share, and reaches both ends', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: DAY }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        unit,
        (ms, share, r) => {
          const drawn = jittered(ms, share, () => r);
          expect(drawn).toBeGreaterThanOrEqual(ms * (1 - share) - 1e-6);
          expect(drawn).toBeLessThanOrEqual(ms * (1 + share) + 1e-6);
        },
      ),
    );
    expect(jittered(100, 0.1, () => 0)).toBeCloseTo(90);
    expect(jittered(100, 0.1, () => 0.5)).toBeCloseTo(100);
    expect(jittered(100, 0.1, () => 1)).toBeCloseTo(110);
  });
});

describe('fullJitter', () => {
  const bounds = { baseMs: 500, maxMs: 90 * SECOND };

  it('is between nothing and the ceiling, whatever the attempt', () => {
    fc.assert(
      fc.property(fc.nat({ max: 5_000 }), unit, (attempt, r) => {
        const drawn = fullJitter(attempt, bounds, () => r);
        expect(drawn).toBeGreaterThanOrEqual(0);
        expect(drawn).toBeLessThanOrEqual(Math.min(bounds.maxMs, 500 * 2 ** attempt));
      }),
    );
  });

  it.each([
    [0, 500],
    [1, 1_000],
    [3, 4_000],
    [7, 64_000],
    [8, 90_000],
    [1_000_000, 90_000],
  ])('has after %d failures a ceiling of %d ms', (attempt, ceiling) => {
    expect(fullJitter(attempt, bounds, () => 1)).toBe(ceiling);
    expect(fullJitter(attempt, bounds, () => 0)).toBe(0);
  });
});
