import { expect, it } from '@jest/globals';
import { MINUTE } from '@tagplane/runtime';
import { ClaimRate, MAX_CLAIMS } from './claim-rate.ts';

it('lets each group claim so many instances in a minute, and begins anew with the next', () => {
  const rate = new ClaimRate();
  const now = 1_000 * MINUTE;
  expect(rate.take('a', MAX_CLAIMS - 1, now)).toBe(true);
  expect(rate.take('a', 2, now)).toBe(false);
  expect(rate.take('a', 1, now + MINUTE - 1)).toBe(true);
  expect(rate.take('a', 1, now + MINUTE - 1)).toBe(false);
  expect(rate.take('b', 50, now + MINUTE - 1)).toBe(true);
  expect(rate.take('a', 1, now + MINUTE)).toBe(true);
});

it('tells a bounded number of groups apart', () => {
  const rate = new ClaimRate();
  for (let n = 0; n < 1_000; n += 1) expect(rate.take(`g${n}`, 1, 0)).toBe(true);
  expect(rate.take('one more', 1, 0)).toBe(false);
  expect(rate.take('g0', 1, 0)).toBe(true);
});
