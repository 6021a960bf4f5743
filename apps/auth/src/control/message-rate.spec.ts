import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MessageRate } from './message-rate.ts';

describe('MessageRate', () => {
  it('lets a burst through, then so many a second', () => {
    const rate = new MessageRate(3, 1, 0);
    expect([0, 0, 0, 0, 999].map((now) => rate.take(now))).toEqual([true, true, true, false, false]);
    expect([1_000, 1_500, 2_000].map((now) => rate.take(now))).toEqual([true, false, true]);
  });

  it('never lets more through than the burst and the time allow, also when the clock is set back', () => {
    const waits = fc.array(fc.integer({ min: -500, max: 3_000 }), { maxLength: 100 });
    fc.assert(
      fc.property(waits, (steps) => {
        const rate = new MessageRate(5, 1, 0);
        let [now, forward, taken] = [0, 0, 0];
        for (const ms of steps) {
          now += ms;
          forward += Math.max(0, ms);
          if (rate.take(now)) taken += 1;
        }
        expect(taken).toBeLessThanOrEqual(5 + forward / 1_000);
      }),
    );
  });
});
