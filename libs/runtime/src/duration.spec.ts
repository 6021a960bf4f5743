import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatDuration, parseDuration } from './duration.ts';

const DAY = 86_400_000;

describe('parseDuration', () => {
  it.each([
    ['0s', 0],
    ['250ms', 250],
    ['90s', 90_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1d', DAY],
    ['1d2h3m4s5ms', DAY + 7_384_005],
    ['1.5h', 5_400_000],
    ['0.1s', 100],
    ['1.1s', 1_100],
    ['4.35s', 4_350],
    ['0.4ms', 0],
    ['0.6ms', 1],
    ['007s', 7_000],
    ['1m1ms', 60_001],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    ...[
      '',
      '5',
      's',
      'm',
      '5 m',
      ' 5m',
      '5m ',
      '5m\n',
      '-5m',
      '+5m',
      '5M',
      '5min',
      '1w',
      '5m3',
      '.5s',
      '5.s',
    ],
    ...[
      '1.2.3s',
      '1e3s',
      '0x5s',
      '٥s',
      'Infinity',
      'PT5M',
      '1:30',
      `${'9'.repeat(400)}d`,
      '9007199254740993ms',
    ],
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0ms'],
    [0.4, '0ms'],
    [350, '350ms'],
    [999, '999ms'],
    [999.6, '1s'],
    [1_000, '1s'],
    [1_499, '1s'],
    [1_500, '2s'],
    [59_999, '1m'],
    [250_000, '4m10s'],
    [3_600_000, '1h'],
    [5_400_000, '1h30m'],
    [7_199_000, '1h59m'],
    [DAY + 3_600_000, '1d1h'],
    [DAY + 5_000, '1d5s'],
    [-90_000, '-1m30s'],
  ])('writes %d as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('writes what parseDuration reads, never more than a unit away', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000 * DAY }), (ms) => {
        const read = parseDuration(formatDuration(ms)) ?? Number.NaN;
        const least = ms >= DAY ? DAY / 24 : ms >= DAY / 24 ? 60_000 : 500;
        expect(Math.abs(ms - read)).toBeLessThanOrEqual(ms < 1_000 ? 0 : least);
      }),
    );
  });
});
