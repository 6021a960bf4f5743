import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  BATCHES_PER_TARGET,
  MAX_BATCH_SIZE,
  MIN_BATCH_SIZE,
  RENEW_BEFORE_MS,
  batchSize,
  drawTtl,
  nextBatchSize,
  sweepPageSize,
} from './pacing.ts';

const MINUTE = 60_000;

/** Ticks until a queue of this length is empty, and the largest batch on the way. */
function drain(length: number): { ticks: number; largest: number } {
  let [ticks, largest, size] = [0, 0, 0];
  for (let left = length; left > 0; left -= size) {
    size = nextBatchSize(size, left);
    largest = Math.max(largest, size);
    ticks += 1;
  }
  return { ticks, largest };
}

describe('batch size', () => {
  it.each([
    [0, 5],
    [1, 5],
    [100, 5],
    [4_500, 5],
    [4_501, 6],
    [10_000, 12],
    [100_000, 112],
    [900_000, 1_000],
    [2_000_000, MAX_BATCH_SIZE],
  ])('of a queue of %d is %d', (length, size) => {
    expect(batchSize(length)).toBe(size);
  });

  it.each([
    [1, 1, 5],
    [100, 20, 5],
    [4_500, 900, 5],
    [10_000, 834, 12],
    [100_000, 893, 112],
  ])('sends a queue of %d in %d batches of at most %d', (length, ticks, largest) => {
    expect(drain(length)).toEqual({ ticks, largest });
  });

  it('sends any queue that a request can keep up with within 15 minutes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900_000 }), (length) => {
        expect(drain(length).ticks).toBeLessThanOrEqual(BATCHES_PER_TARGET);
      }),
    );
  });

  it('falls back to the smallest once the queue is empty', () => {
    expect(nextBatchSize(112, 3)).toBe(112);
    expect(nextBatchSize(112, 0)).toBe(MIN_BATCH_SIZE);
  });
});

describe('sweep page size', () => {
  it.each([
    [0, 100],
    [90_000, 100],
    [90_001, 101],
    [100_000, 112],
    [10_000_000, 1_000],
  ])('for %d ServerInfos is %d', (total, size) => {
    expect(sweepPageSize(total)).toBe(size);
  });
});

describe('time to live', () => {
  it.each([
    [0, 80 * MINUTE],
    [0.999_999, 90 * MINUTE - 15_001],
  ])('at the edge %d of the draw is %d ms', (draw, ttl) => {
    expect(drawTtl(() => draw)).toBe(ttl);
  });

  it('makes the renewal due between 50 and 60 minutes after the write', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (draw) => {
        const due = drawTtl(() => draw) - RENEW_BEFORE_MS;
        expect(Number.isInteger(due)).toBe(true);
        expect(due).toBeGreaterThanOrEqual(50 * MINUTE);
        expect(due).toBeLessThan(60 * MINUTE);
      }),
    );
  });
});
