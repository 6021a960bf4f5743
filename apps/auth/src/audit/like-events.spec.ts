import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cleanRecord } from './event.ts';
import type { CleanRecord } from './event.ts';
import { LikeEvents } from './like-events.ts';
import type { Counted } from './like-events.ts';

const LIMITS = { windowMs: 10_000, distinct: 5, perSecond: 0.1 };

function refusal(actor: string, code = 'join.refused'): CleanRecord {
  return cleanRecord({ code, result: 'refused', actor, remoteAddress: '10.0.0.1', reason: 'no' });
}

describe('like events', () => {
  it('are one at once, then one a window with their number, while they go on', () => {
    const like = new LikeEvents(0);
    expect([0, 1, 2].map((now) => like.offer(refusal('a'), now))).toEqual([true, false, false]);
    expect(like.offer(refusal('b'), 3)).toBe(true);
    expect(like.due(9_999)).toEqual([]);
    expect(like.due(10_000)).toEqual([{ record: refusal('a'), count: 2 }]);
    expect(like.offer(refusal('a'), 10_001)).toBe(false);
    expect(like.due(20_000)).toEqual([{ record: refusal('a'), count: 1 }]);
    expect(like.due(30_000)).toEqual([]);
    expect(like.offer(refusal('a'), 30_001)).toBe(true);
  });

  it.each<[string, Partial<CleanRecord>]>([
    ['code', { code: 'call.refused' }],
    ['address', { remoteAddress: '10.0.0.2' }],
    ['actor', { actor: 'b' }],
    ['reason', { reason: 'another' }],
  ])('are told apart by %s', (_, other) => {
    const like = new LikeEvents(0);
    expect(like.offer(refusal('a'), 0)).toBe(true);
    expect(like.offer({ ...refusal('a'), ...other }, 0)).toBe(true);
    expect(like.offer({ ...refusal('a'), subjects: ['x'], details: { y: 'z' } }, 0)).toBe(false);
  });

  it('are counted by code alone when there are too many different ones', () => {
    const like = new LikeEvents(0, LIMITS);
    const atOnce = Array.from({ length: 100 }, (_, n) => like.offer(refusal(`a${n}`), 0)).filter(Boolean);
    expect(atOnce).toHaveLength(5);
    like.offer(refusal('z', 'call.refused'), 0);
    expect(like.due(10_000)).toMatchObject([
      { record: { code: 'join.refused', actor: '', details: { actor: 'a99', reason: 'no' } }, count: 95 },
      { record: { code: 'call.refused' }, count: 1 },
    ]);
  });

  it('are not held back by a clock that was set back', () => {
    const like = new LikeEvents(1_000_000);
    like.offer(refusal('a'), 1_000_000);
    like.offer(refusal('a'), 1_000_000);
    expect(like.due(400_000)).toEqual([{ record: refusal('a'), count: 1 }]);
  });
});

type Step =
  | { readonly do: 'offer'; readonly actor: number; readonly times: number }
  | { readonly do: 'pass'; readonly ms: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('offer' as const),
      actor: fc.nat(12),
      times: fc.integer({ min: 1, max: 20 }),
    }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.nat(15_000) }),
  ),
  { maxLength: 60 },
);

describe('whatever comes', () => {
  it('every event is counted once, and few are written', () => {
    const property = fc.property(steps, (sequence) => {
      const like = new LikeEvents(0, LIMITS);
      const written: Counted[] = [];
      let now = 0;
      let offered = 0;
      let rounds = 1;
      for (const step of sequence) {
        if (step.do === 'offer') {
          for (let time = 0; time < step.times; time += 1) {
            const record = refusal(`a${step.actor}`);
            offered += 1;
            if (like.offer(record, now)) written.push({ record, count: 1 });
          }
        } else {
          now += step.ms;
          rounds += 1;
          written.push(...like.due(now));
        }
      }
      // A budget that lasts, and for what is beyond it one event a window.
      const most =
        LIMITS.distinct + (now / 1_000) * LIMITS.perSecond + Math.min(rounds, 1 + now / LIMITS.windowMs);
      expect(written.length).toBeLessThanOrEqual(most + 1);
      written.push(...like.takeAll());
      expect(written.reduce((sum, { count }) => sum + count, 0)).toBe(offered);
      expect(written.every(({ count }) => count > 0)).toBe(true);
      expect(like.takeAll()).toEqual([]);
    });
    fc.assert(property, { numRuns: 500 });
  });
});
