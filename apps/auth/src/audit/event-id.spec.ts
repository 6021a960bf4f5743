import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createEventIds, eventIdFloor } from './event-id.ts';

describe('createEventIds', () => {
  it('orders ids by time, however the clock runs, and never makes one twice', () => {
    const times = fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(times, (clock) => {
        const next = createEventIds();
        const ids = clock.map((now) => next(now));
        expect([...ids].sort()).toEqual(ids);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  it('goes on when one millisecond has no more numbers', () => {
    const next = createEventIds('r');
    const ids = Array.from({ length: 70_000 }, () => next(5));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.at(-1)).toBe(`${eventIdFloor(6)}116f-r`);
  });

  it('differs between processes at the same time', () => {
    expect(createEventIds()(5)).not.toBe(createEventIds()(5));
  });
});

describe('eventIdFloor', () => {
  it('lies between an earlier time and this one', () => {
    const next = createEventIds();
    const [before, after] = [next(1_999), next(2_000)];
    expect(before < eventIdFloor(2_000)).toBe(true);
    expect(eventIdFloor(2_000) < after).toBe(true);
    expect(eventIdFloor(-5)).toBe('000000000000');
  });
});
