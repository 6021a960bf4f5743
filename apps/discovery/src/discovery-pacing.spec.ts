import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MINUTE, SECOND } from '@tagplane/runtime';
import { FakeAuth } from './testing/fake-auth.ts';
import { fleet, pagesOf, startPlane, VIRTUAL_TIME } from './testing/plane.ts';

const HOUR = 60 * MINUTE;
const REGION = 'eu-central-1';
const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

describe('pacing, in virtual time', () => {
  let auth: FakeAuth;
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: [...VIRTUAL_TIME.doNotFake] });
    auth = new FakeAuth();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each([
    { size: 100, seconds: 20, batch: 5 },
    { size: 4_500, seconds: 900, batch: 5 },
    { size: 10_000, seconds: 900, batch: 12 },
    { size: 100_000, seconds: 900, batch: 112 },
  ])(
    'sends $size instances within $seconds s in batches of $batch',
    async ({ size, seconds, batch }) => {
      const startedAt = Date.now();
      const pages = pagesOf(fleet(size));
      // One scan only: the fleet's renewals and the next scans are not what is measured here.
      await using plane = startPlane({
        advance,
        auth,
        scripts: { [REGION]: (scan) => (scan === 0 ? pages : [{ fail: 'throttled' }]) },
        pollIntervalMs: 20 * MINUTE,
      });
      await advance(seconds * SECOND - 1);
      expect(auth.stored.size).toBe(size);
      expect(new Set(auth.sentSince(startedAt)).size).toBe(size);
      expect(auth.sentSince(startedAt)).toHaveLength(size);
      expect(Math.max(...auth.calls.map((call) => call.names.length))).toBe(batch);
      const gaps = auth.calls.slice(1).map((call, index) => call.at - (auth.calls[index]?.at ?? 0));
      // A timer's grain is a millisecond.
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(SECOND - 1);
      expect(await plane.metric('upserts_total', { result: 'accepted' })).toBe(size);
      expect(await plane.metric('queue_length')).toBe(0);
    },
    120_000,
  );

  it('renews between 50 and 60 minutes after each write, and otherwise sends nothing', async () => {
    const instances = fleet(20);
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: () => pagesOf(instances) } });
    await advance(24 * HOUR);
    for (const name of auth.stored.keys()) {
      const times = auth.upsertsOf(name);
      const gaps = times.slice(1).map((at, index) => (at - (times[index] ?? 0)) / MINUTE);
      expect(gaps.length).toBeGreaterThanOrEqual(23);
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(60);
    }
    expect(auth.stored.size).toBe(20);
    expect(auth.calls.every((call) => call.action === 'upsert')).toBe(true);
    expect(await plane.metric('scans_total', { result: 'complete' })).toBeGreaterThan(24 * 10);
  });
});
