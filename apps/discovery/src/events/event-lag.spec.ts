import { describe, expect, it } from '@jest/globals';
import { MINUTE, SECOND } from '@tagplane/runtime';
import { EventLag } from './event-lag.ts';

const NOW = 1_800_000_000_000;

describe('the lag of events', () => {
  it('is from the first change to the first answer', () => {
    const lag = new EventLag();
    lag.begin('a', NOW, NOW + SECOND);
    lag.begin('a', NOW + SECOND, NOW + 2 * SECOND);
    expect(lag.end('a', NOW + 3 * SECOND)).toBe(3 * SECOND);
    expect(lag.end('a', NOW + 3 * SECOND)).toBeUndefined();
  });

  it('is no less than nothing, for a clock that is ahead', () => {
    const lag = new EventLag();
    lag.begin('a', NOW + SECOND, NOW);
    expect(lag.end('a', NOW)).toBe(0);
  });

  it('does not count what took ten minutes: it came some other way', () => {
    const lag = new EventLag();
    lag.begin('a', NOW, NOW);
    expect(lag.end('a', NOW + 10 * MINUTE)).toBeUndefined();
    lag.begin('b', NOW, NOW);
    lag.begin('b', NOW + 11 * MINUTE, NOW + 11 * MINUTE);
    expect(lag.end('b', NOW + 11 * MINUTE + SECOND)).toBe(SECOND);
  });

  it('forgets the old when there are too many', () => {
    const lag = new EventLag();
    for (let number = 0; number < 100_001; number += 1) lag.begin(`n${number}`, NOW, NOW);
    expect(lag.size).toBe(100_000);
    lag.begin('new', NOW + 10 * MINUTE, NOW + 10 * MINUTE);
    expect(lag.size).toBe(1);
  });
});
