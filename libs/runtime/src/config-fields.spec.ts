import { describe, expect, it } from '@jest/globals';
import { addressField, durationField, logLevelField } from './config-fields.ts';

describe('addressField', () => {
  it('reads an address', () => {
    expect(addressField.parse('[::1]:7420')).toEqual({ host: '::1', port: 7420 });
  });

  it.each(['7420', 'host', '', 7420])('refuses %j', (value) => {
    expect(addressField.safeParse(value).success).toBe(false);
  });
});

describe('durationField', () => {
  const field = durationField({ min: '10s', max: '1h' });

  it.each([
    ['10s', 10_000],
    ['5m', 300_000],
    ['60m', 3_600_000],
  ])('reads %s', (text, ms) => {
    expect(field.parse(text)).toBe(ms);
  });

  it.each([
    ['9999ms', 'expected between 10s and 1h'],
    ['1h1ms', 'expected between 10s and 1h'],
    ['0s', 'expected between 10s and 1h'],
    ['5', 'expected a duration such as 90s or 5m'],
    ['', 'expected a duration such as 90s or 5m'],
  ])('refuses %j', (text, message) => {
    expect(field.safeParse(text).error?.issues).toEqual([expect.objectContaining({ message })]);
  });

  it('refuses bounds that are none', () => {
    expect(() => durationField({ min: '10', max: '1h' })).toThrow(RangeError);
    expect(() => durationField({ min: '2h', max: '1h' })).toThrow(RangeError);
  });
});

describe('logLevelField', () => {
  it('takes the names of levels only', () => {
    expect(logLevelField.parse('warn')).toBe('warn');
    expect(logLevelField.safeParse('verbose').success).toBe(false);
    expect(logLevelField.safeParse('toString').success).toBe(false);
  });
});
