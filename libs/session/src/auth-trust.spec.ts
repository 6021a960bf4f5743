import { describe, expect, it } from '@jest/globals';
import { TRUST_UNKNOWN, trustIsDue } from './auth-trust.ts';

const MINUTE = 60_000;

describe('trustIsDue', () => {
  it.each<[string, Partial<typeof TRUST_UNKNOWN>, number, number, boolean]>([
    ['nobody has a bundle', {}, 0, 0, false],
    ['the agent has the present one', { reported: 3 }, 3, 0, false],
    ['the agent is ahead of this process', { reported: 4 }, 3, 0, false],
    ['the agent has an older one', { reported: 2 }, 3, 0, true],
    ['the agent has not said', {}, 3, 0, true],
    ['it was told of this one', { reported: 2, announced: 3, announcedAt: 1 }, 3, MINUTE, false],
    ['it was told of an older one', { reported: 2, announced: 3, announcedAt: 1 }, 4, MINUTE, true],
    ['it was told long ago and has not followed', { reported: 2, announced: 3 }, 3, 15 * MINUTE, true],
    ['it was told long ago and has followed', { reported: 3, announced: 3 }, 3, 15 * MINUTE, false],
  ])('when %s', (_, view, present, now, due) => {
    expect(trustIsDue({ ...TRUST_UNKNOWN, ...view }, present, now)).toBe(due);
  });
});
