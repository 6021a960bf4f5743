import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { condition, expectation, parseEntry, parseRecord } from './record.ts';

const revision = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

function header(letter: string, rev: number, expiry: number): string {
  return letter + String(rev).padStart(16, '0') + String(expiry).padStart(15, '0');
}

describe('records', () => {
  it('give back what a live item was written with', () => {
    const expiry = fc.option(fc.integer({ min: 1, max: 999_999_999_999_999 }), { nil: undefined });
    fc.assert(
      fc.property(revision, expiry, fc.string({ unit: 'binary' }), (rev, expiresAt, value) => {
        const text = header('L', rev, expiresAt ?? 0) + value;
        const entry = { key: 'k', value, revision: rev, expiresAt };
        expect(parseEntry('k', text)).toEqual(entry);
        expect(parseRecord('k', text)).toEqual({ state: 'live', ...entry });
      }),
    );
  });

  it.each([
    ['D', 'deleted'],
    ['X', 'expired'],
  ])('are tombstones when they begin with %s', (letter, reason) => {
    const text = header(letter, 7, 0);
    expect(parseEntry('k', text)).toBeUndefined();
    expect(parseRecord('k', text)).toEqual({ state: 'gone', key: 'k', revision: 7, reason });
  });

  it('are absent when there is no text', () => {
    expect(parseEntry('k', null)).toBeUndefined();
    expect(parseRecord('k', null)).toEqual({ state: 'absent', key: 'k' });
  });

  it.each(['', 'what another program wrote'])('refuse %j', (text) => {
    expect(() => parseRecord('k', text)).toThrow(/header/);
  });
});

describe('expectation', () => {
  it('is what the header holds', () => {
    fc.assert(
      fc.property(revision, (rev) => {
        expect(expectation({ revision: rev })).toBe(header('L', rev, 0).slice(1, 17));
      }),
    );
    expect(expectation({ live: false })).toBe('-');
    expect(expectation({ endsWith: '-' })).toBe('$-');
    expect(expectation(undefined)).toBe('');
  });
});

describe('condition', () => {
  it('tells a value that begins with a sign from none at all', () => {
    expect(condition({ key: 'k', live: false })).toBe('-');
    expect(condition({ key: 'k', startsWith: '-' })).toBe('^-');
  });
});
