import { describe, expect, it } from '@jest/globals';
import { parseDuration } from '@tagplane/runtime';
import { exactDuration } from './exact-duration.ts';

describe('exactDuration', () => {
  it.each([
    [0, '0s'],
    [250, '250ms'],
    [90_000, '1m30s'],
    [86_400_000 + 7_200_000 + 60_000 + 1_000 + 1, '1d2h1m1s1ms'],
  ])('writes %i ms as %s, and that is read back', (ms, text) => {
    expect(exactDuration(ms)).toBe(text);
    expect(parseDuration(text)).toBe(ms);
  });
});
