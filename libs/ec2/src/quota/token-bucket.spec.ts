import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AWS_BUCKETS, TokenBucket } from './token-bucket.ts';

const SIZE = { capacity: 25, refillPerSecond: 5 };
/** Less than a millisecond of refill. */
const ROUNDING = 0.004;

/** Takes all there is. */
function drain(bucket: TokenBucket, now: number): number {
  let taken = 0;
  while (bucket.take(now)) taken += 1;
  return taken;
}

describe('TokenBucket', () => {
  it('has the numbers of AWS', () => {
    expect(AWS_BUCKETS).toEqual({
      paged: { capacity: 100, refillPerSecond: 20 },
      unpaged: { capacity: 50, refillPerSecond: 10 },
    });
  });

  it('gives its burst, then its rate', () => {
    const bucket = new TokenBucket(SIZE, 0);
    expect(drain(bucket, 0)).toBe(25);
    expect(bucket.wait(0, 1)).toBeCloseTo(200);
    expect(bucket.wait(0, 6)).toBeCloseTo(1_200);
    expect(drain(bucket, 199)).toBe(0);
    expect(drain(bucket, 1_000)).toBe(5);
    expect(drain(bucket, 3_600_000)).toBe(25);
  });

  it('halves its rate on a throttle, gives up its burst, and holds for a moment', () => {
    const bucket = new TokenBucket(SIZE, 0);
    expect(bucket.take(0)).toBe(true);
    expect(bucket.throttled(0, 100, 0)).toBe(true);
    expect(bucket.rate(100)).toBe(2.5);
    expect(bucket.wait(100, 1)).toBeCloseTo(1_500 + 400);
    expect(drain(bucket, 1_600)).toBe(0);
    expect(drain(bucket, 2_000)).toBe(1);
  });

  it('holds for longer by chance, up to twice as long', () => {
    const bucket = new TokenBucket(SIZE, 0);
    bucket.throttled(0, 0, 1);
    expect(bucket.wait(0, 1)).toBeCloseTo(3_000 + 400);
  });

  it('counts what passed before a decrease as part of it', () => {
    const bucket = new TokenBucket(SIZE, 0);
    expect(bucket.throttled(0, 100, 0)).toBe(true);
    for (const passedAt of [0, 50, 100]) expect(bucket.throttled(passedAt, 200, 0)).toBe(false);
    expect(bucket.rate(200)).toBe(2.5);
    expect(bucket.throttled(2_500, 2_600, 0)).toBe(true);
    expect(bucket.rate(2_600)).toBeLessThan(1.3);
  });

  it('recovers in a minute, and not at once', () => {
    const bucket = new TokenBucket(SIZE, 0);
    bucket.throttled(0, 0, 0);
    const rates = [1_500, 31_500, 61_500, 3_600_000].map((now) => bucket.rate(now));
    expect(rates).toEqual([2.5, 3.75, 5, 5]);
  });

  it('has a floor', () => {
    const bucket = new TokenBucket(SIZE, 0);
    let now = 0;
    for (let times = 0; times < 20; times += 1) {
      now += 3_000;
      bucket.throttled(now, (now += 1), 0);
    }
    expect(bucket.rate(now)).toBe(0.25);
    expect(bucket.wait(now, 1)).toBeLessThanOrEqual(5_500);
  });

  it('never lets more pass than its share, over any window', () => {
    const step = fc.record({
      ms: fc.nat({ max: 5_000 }),
      takes: fc.nat({ max: 40 }),
      throttled: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (steps, random) => {
          const bucket = new TokenBucket(SIZE, 0);
          const passed: number[] = [];
          let now = 0;
          for (const { ms, takes, throttled } of steps) {
            now += ms;
            for (let take = 0; take < takes; take += 1) if (bucket.take(now)) passed.push(now);
            if (throttled && passed.length > 0) bucket.throttled(passed.at(-1) ?? 0, now, random);
          }
          for (const [first, from] of passed.entries()) {
            for (let last = first; last < passed.length; last += 1) {
              const window = ((passed[last] ?? 0) - from) / 1_000;
              expect(last - first + 1).toBeLessThanOrEqual(25 + 5 * window + ROUNDING);
            }
          }
        },
      ),
    );
  });

  it('keeps its word about waiting', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 60 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 50 }),
        (taken, throttled, place) => {
          const bucket = new TokenBucket(SIZE, 0);
          for (let take = 0; take < taken; take += 1) bucket.take(0);
          if (throttled) bucket.throttled(0, 1, 0.5);
          const at = 1 + bucket.wait(1, place);
          // More than its burst does not fit: the others have to be taken on the way.
          fc.pre(place <= 25);
          expect(drain(bucket, Math.ceil(at))).toBeGreaterThanOrEqual(place);
        },
      ),
    );
  });
});
