import { describe, expect, it } from '@jest/globals';
import { HOUR, MINUTE, SECOND } from '@tagplane/runtime';
import fc from 'fast-check';
import { lifeMs, renewalDelayMs, renewalRetryMs, spreadRenewalMs } from './renewal.ts';

const life = fc.double({ min: 10 * SECOND, max: 365 * 24 * HOUR, noNaN: true });
/** As `Math.random`: 1 is never drawn. */
const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
/** One after the other, over and over. */
const draws = fc.array(draw, { minLength: 1, maxLength: 50 });

describe('lifeMs', () => {
  it.each([
    ['12 h, dated back', -15 * MINUTE, 12 * HOUR, 12 * HOUR],
    ['10 s, dated back', -15 * MINUTE, 10 * SECOND, 10 * SECOND],
    ['10 min, not dated back', 0, 10 * MINUTE, 10 * MINUTE],
    ['ended before it began', 0, -1, 0],
  ])('%s', (_, validFrom, validUntil, expected) => {
    expect(lifeMs({ validFrom, validUntil })).toBe(expected);
  });
});

describe('renewalDelayMs', () => {
  it.each([
    [0, 0.6],
    [0.5, 2 / 3],
    [1, 0.7333],
  ])('with %d drawn is %d of the life', (drawn, share) => {
    expect(renewalDelayMs(1, () => drawn)).toBeCloseTo(share, 3);
  });

  it('spreads a fleet that was certified at once: no more than its share in any tenth of the time', () => {
    const delays = Array.from({ length: 10_000 }, (_, number) =>
      renewalDelayMs(12 * HOUR, () => ((number * 7_919) % 10_000) / 10_000),
    );
    const first = 12 * HOUR * 0.6;
    const tenth = (12 * HOUR * (0.8 - 2 / 3)) / 10;
    const counts = Array.from({ length: 10 }, (_, slot) => {
      const from = first + slot * tenth;
      return delays.filter((delay) => delay >= from && delay < from + tenth).length;
    });
    expect(Math.max(...counts)).toBeLessThanOrEqual(1_001);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(999);
  });
});

describe('renewalRetryMs', () => {
  it.each([
    [1, 4 * HOUR, 0, SECOND],
    [1, 4 * HOUR, 1, 2 * SECOND],
    [3, 4 * HOUR, 1, 8 * SECOND],
    [40, 4 * HOUR, 1, 10 * MINUTE],
    [40, 4 * MINUTE, 1, MINUTE],
    [40, 4 * MINUTE, 0, 30 * SECOND],
    [40, 1, 1, 250],
    [40, 0, 1, 10 * MINUTE],
    [1, -HOUR, 1, 2 * SECOND],
  ])('after %d failures, %d ms before the end, with %d drawn: %d ms', (failures, remaining, drawn, ms) => {
    expect(renewalRetryMs(failures, remaining, () => drawn)).toBe(ms);
  });
});

describe('a renewal, from receipt to success', () => {
  /** When it succeeds, with a service that answers nothing in one stretch of time. */
  function renewedAt(lifeLength: number, outage: { from: number; to: number }, random: () => number): number {
    let at = renewalDelayMs(lifeLength, random);
    for (let failures = 1; at >= outage.from && at < outage.to; failures += 1) {
      at += renewalRetryMs(failures, lifeLength - at, random);
    }
    return at;
  }

  it('is over before the end, whatever outage is over in the last tenth or before', () => {
    fc.assert(
      fc.property(life, fc.double({ min: 0, max: 0.9, noNaN: true }), draws, (lifeLength, share, drawn) => {
        let next = 0;
        const random = () => drawn[next++ % drawn.length] ?? 0;
        const at = renewedAt(lifeLength, { from: 0, to: lifeLength * share }, random);
        expect(at).toBeLessThan(lifeLength);
        // Nor is it long after the service is back: a fleet that had to wait is not kept waiting.
        expect(at).toBeLessThanOrEqual(Math.max(lifeLength * 0.7334, lifeLength * share + 10 * MINUTE));
      }),
    );
  });

  it('asks a service that is away less than 200 times in the last third of twelve hours', () => {
    let attempts = 0;
    for (let at = 8 * HOUR; at < 12 * HOUR; at += renewalRetryMs(attempts, 12 * HOUR - at, () => 0)) {
      attempts += 1;
    }
    expect(attempts).toBeLessThan(200);
  });
});

describe('spreadRenewalMs', () => {
  it('stays within what was asked for, and within half of what is left', () => {
    fc.assert(
      fc.property(life, fc.double({ min: 0, max: HOUR, noNaN: true }), draw, (remaining, within, drawn) => {
        const ms = spreadRenewalMs(within, remaining, () => drawn);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(Math.min(within, remaining / 2));
      }),
    );
  });

  it('is at once when the certificate has ended', () => {
    expect(spreadRenewalMs(MINUTE, -SECOND, () => 0.9)).toBe(0);
  });
});
