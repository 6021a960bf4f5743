import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { parseAccountId } from '@tagplane/identity';
import { fakeRegion } from '../testing/index.ts';
import { createQuotaGovernor } from './governor.ts';
import type { QuotaGovernor } from './governor.ts';
import { QuotaQueueError } from './request-pacer.ts';
import type { RequestPacer, Turn } from './request-pacer.ts';

const region = fakeRegion('eu-central-1');
const account = parseAccountId('123456789012');
const { signal } = new AbortController();

describe('createQuotaGovernor', () => {
  let governor: QuotaGovernor;
  let pacer: RequestPacer;
  let turns: { readonly at: number; readonly turn: Turn }[];
  const startedAt = Date.UTC(2026, 0, 1);
  const now = (): number => Date.now() - startedAt;
  beforeEach(() => {
    jest.useFakeTimers({ now: startedAt });
    governor = createQuotaGovernor({ share: 0.25, now, random: () => 0 });
    pacer = governor.pacer({ account, region });
    turns = [];
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  function ask(times: number): void {
    for (let time = 0; time < times; time += 1) {
      void pacer.acquire(signal).then((turn) => turns.push({ at: now(), turn }));
    }
  }
  const usage = () => governor.usage()[0];

  it('lets a quarter of the burst pass, then a quarter of the rate, in order', async () => {
    ask(40);
    await jest.advanceTimersByTimeAsync(0);
    expect(turns).toHaveLength(25);
    expect(usage()).toMatchObject({ account, region, requests: 25, throttles: 0, ratePerSecond: 5 });
    expect(usage()?.behindMs).toBeCloseTo(16 * 200);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(turns).toHaveLength(40);
    expect(turns.slice(25).map(({ at }) => at)).toEqual(Array.from({ length: 15 }, (_, n) => (n + 1) * 200));
    expect(jest.getTimerCount()).toBe(0);
    expect(usage()?.quotaUsed).toBeCloseTo(40 / 1_200);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(usage()).toMatchObject({ quotaUsed: 0, behindMs: 0, requests: 40 });
  });

  it('counts a throttle of many at once as one, and never sends them out again together', async () => {
    ask(25);
    await jest.advanceTimersByTimeAsync(100);
    for (const { turn } of turns.splice(0)) turn.throttled();
    expect(usage()).toMatchObject({ throttles: 25, ratePerSecond: 2.5 });
    ask(25);
    await jest.advanceTimersByTimeAsync(1_500);
    expect(turns).toHaveLength(0);
    await jest.advanceTimersByTimeAsync(4_000);
    // 2.5/s, rising to 5/s within a minute.
    expect(turns.length).toBeGreaterThanOrEqual(9);
    expect(turns.length).toBeLessThanOrEqual(11);
  });

  it('has those that wait already wait for longer after a throttle', async () => {
    ask(30);
    await jest.advanceTimersByTimeAsync(0);
    turns[0]?.turn.throttled();
    await jest.advanceTimersByTimeAsync(1_800);
    expect(turns).toHaveLength(25);
    await jest.advanceTimersByTimeAsync(200);
    expect(turns).toHaveLength(26);
  });

  it('keeps places apart, and one place together', async () => {
    expect(governor.pacer({ account, region })).toBe(pacer);
    ask(100);
    const other = governor.pacer({ account: undefined, region });
    expect(other).not.toBe(pacer);
    (await other.acquire(signal)).succeeded();
    expect(governor.usage().map(({ account: of, requests }) => [of, requests])).toEqual([
      [account, 25],
      [undefined, 1],
    ]);
  });

  it('lets those go whose signal aborts, and nobody else waits for them', async () => {
    ask(25);
    const stop = new AbortController();
    const aborted = pacer.acquire(stop.signal).catch((error: unknown) => error);
    ask(1);
    stop.abort(new Error('stopped'));
    expect(await aborted).toMatchObject({ message: 'stopped' });
    await expect(pacer.acquire(stop.signal)).rejects.toThrow('stopped');
    await jest.advanceTimersByTimeAsync(200);
    expect(turns).toHaveLength(26);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('bounds those who wait', async () => {
    ask(1_025);
    await expect(pacer.acquire(signal)).rejects.toThrow(QuotaQueueError);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(turns).toHaveLength(30);
  });

  it('always lets a whole request pass, however small the share', async () => {
    pacer = createQuotaGovernor({ share: 0.001, now }).pacer({ account, region });
    ask(2);
    await jest.advanceTimersByTimeAsync(0);
    expect(turns).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(50_000);
    expect(turns).toHaveLength(2);
  });

  it.each([0, -1, 1.1, Number.NaN])('refuses %p as a share', (share) => {
    expect(() => createQuotaGovernor({ share })).toThrow(RangeError);
  });
});
