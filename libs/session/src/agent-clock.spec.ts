import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { elapsedMs } from './agent-clock.ts';
import type { ClockReading } from './agent-clock.ts';

const HOUR = 3_600_000;

function reading(wallMs: number, monotonicMs: number, boot = 'a'): ClockReading {
  return { wallMs, monotonicMs, boot };
}

describe('elapsedMs', () => {
  it.each([
    ['both clocks agree', reading(10, 5), reading(30, 25), 20],
    ['the wall clock was set back', reading(10 * HOUR, 0), reading(2 * HOUR, HOUR), HOUR],
    ['the machine was suspended', reading(0, 0), reading(10 * HOUR, HOUR), 10 * HOUR],
    ['the wall clock was set ahead', reading(0, 0), reading(10 * HOUR, 1), 10 * HOUR],
    ['another boot', reading(0, 9 * HOUR), reading(HOUR, 7, 'b'), HOUR],
    ['another boot, the wall clock a little behind', reading(20_000, 0), reading(0, 0, 'b'), 0],
    ['another boot, the wall clock lost', reading(10 * HOUR, 0), reading(0, 0, 'b'), Infinity],
  ])('%s', (_, from, to, expected) => {
    expect(elapsedMs(from, to)).toBe(expected);
  });

  it('is never negative and never less than the monotonic clock says', () => {
    const any = fc.record({
      wallMs: fc.integer({ min: 0, max: 4e12 }),
      monotonicMs: fc.nat(),
      boot: fc.constantFrom('a', 'b'),
    });
    fc.assert(
      fc.property(any, any, (from, to) => {
        const elapsed = elapsedMs(from, to);
        expect(elapsed).toBeGreaterThanOrEqual(0);
        if (from.boot === to.boot) expect(elapsed).toBeGreaterThanOrEqual(to.monotonicMs - from.monotonicMs);
      }),
    );
  });
});
