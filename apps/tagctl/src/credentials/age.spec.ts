import { describe, expect, it } from '@jest/globals';
import type { Credentials } from '@tagplane/credentials';
import { credentialsAge, oldInMs } from './age.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 10, 22, 12);

describe('credentialsAge', () => {
  it.each([
    [0, 'fresh'],
    [8 * HOUR - 1, 'fresh'],
    [8 * HOUR, 'old'],
    [12 * HOUR - 1, 'old'],
    [12 * HOUR, 'ended'],
    [-1, 'fresh'],
    [-HOUR, 'old'],
  ])('%d ms after receipt of a certificate for twelve hours: %s', (passed, expected) => {
    const dates = { validFrom: START - HOUR / 4, validUntil: START + 12 * HOUR, receivedAt: START };
    expect(credentialsAge(dates as Credentials, START + passed)).toBe(expected);
    expect(oldInMs(dates as Credentials, START + passed)).toBe(8 * HOUR - passed);
  });

  it('by a clock that is ahead of the one in the certificate, is not ended before its time has passed', () => {
    const dates = { validFrom: START - HOUR / 4, validUntil: START + HOUR, receivedAt: START + 5 * HOUR };
    expect(credentialsAge(dates as Credentials, START + 5 * HOUR + 60_000)).toBe('fresh');
    expect(credentialsAge(dates as Credentials, START + 6 * HOUR)).toBe('ended');
  });
});
