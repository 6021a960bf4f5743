import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { silentLogger } from '@tagplane/runtime';
import { keepUp } from './upkeep.ts';

const HOUR = 3_600_000;
const MORNING = Date.UTC(2030, 0, 2, 6);

beforeEach(() => {
  jest.useFakeTimers({ now: MORNING });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('keepUp', () => {
  it('renews when it is time, again after a failure, and tells of every new day', async () => {
    const renewals: string[] = [];
    const days: string[] = [];
    let failures = 1;
    const held = {
      renewAt: MORNING + 8 * HOUR,
      validUntil: MORNING + 12 * HOUR,
      renew(): Promise<void> {
        if (failures-- > 0) return Promise.reject(new Error('not now'));
        renewals.push(new Date().toISOString());
        held.renewAt = Date.now() + 8 * HOUR;
        return Promise.resolve();
      },
      notify(): void {
        days.push(new Date().toISOString());
      },
    };
    const stop = new AbortController();
    const run = keepUp(held, { log: silentLogger(), now: () => Date.now() }, stop.signal);
    await jest.advanceTimersByTimeAsync(8 * HOUR - 1);
    expect(renewals).toEqual([]);
    await jest.advanceTimersByTimeAsync(40 * HOUR);
    stop.abort();
    await expect(run).rejects.toBe(stop.signal.reason);
    expect(renewals.map((time) => time.slice(0, 16))).toEqual([
      '2030-01-02T14:01',
      '2030-01-02T22:01',
      '2030-01-03T06:01',
      '2030-01-03T14:01',
      '2030-01-03T22:01',
    ]);
    expect(days).toEqual(['2030-01-03T00:00:00.000Z', '2030-01-04T00:00:00.000Z']);
  });

  it('tries again several times before a short certificate ends', async () => {
    let tries = 0;
    const held = {
      renewAt: MORNING + 40_000,
      validUntil: MORNING + 60_000,
      renew(): Promise<void> {
        tries += 1;
        return Promise.reject(new Error('not now'));
      },
      notify: () => undefined,
    };
    const stop = new AbortController();
    const run = keepUp(held, { log: silentLogger(), now: () => Date.now() }, stop.signal);
    const ended = expect(run).rejects.toThrow('enough');
    await jest.advanceTimersByTimeAsync(60_000);
    stop.abort(new Error('enough'));
    await ended;
    expect(tries).toBeGreaterThanOrEqual(5);
  });
});
