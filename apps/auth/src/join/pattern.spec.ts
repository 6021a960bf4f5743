import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { matchesPattern } from './pattern.ts';

describe('matchesPattern', () => {
  it.each([
    ['web', 'web', true],
    ['web', 'webs', false],
    ['web', '*', true],
    ['', '*', true],
    ['web-1', 'web-*', true],
    ['web-', 'web-*', true],
    ['web', 'web-*', false],
    ['a-web', 'web-*', false],
    ['eu-web-prod', 'eu-*-prod', true],
    ['eu-prod', 'eu-*-prod', false],
    ['eu--prod', 'eu-*-prod', true],
    ['abcb', '*b*b', true],
    ['ab', '*b*b', false],
    ['aba', 'ab*ba', false],
    ['aXbYc', 'a*b*c', true],
    ['a.b', 'a?b', false],
    ['a.b', 'a.b', true],
    ['axb', 'a.b', false],
  ])('%s is of %s: %s', (text, pattern, expected) => {
    expect(matchesPattern(text, pattern)).toBe(expected);
  });

  it('agrees with a regular expression', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    fc.assert(
      fc.property(letters, letters, (pattern, written) => {
        const text = written.replaceAll('*', 'a');
        const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text);
        expect(matchesPattern(text, pattern)).toBe(expected);
      }),
    );
  });

  it('takes no longer for a pattern of many stars', () => {
    expect(matchesPattern('a'.repeat(2_000), `${'a*'.repeat(900)}b`)).toBe(false);
  });
});
