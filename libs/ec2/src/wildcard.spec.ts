import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { escapeWildcards, wildcardMatcher } from './wildcard.ts';

describe('wildcardMatcher', () => {
  it.each([
    ['web', 'web', true],
    ['web', 'Web', false],
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'a\nb', true],
    ['w*', 'web', true],
    ['w*', 'ow', false],
    ['*a*b', 'xaayab', true],
    ['*a*b', 'xaaya', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a?', 'a😀', true],
    ['a**', 'a', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['a\\?*', 'a?b', true],
    ['\\\\', '\\', true],
    ['\\a', 'a', true],
    ['a\\', 'a\\', true],
    ['.+', '.+', true],
    ['.*', 'ab', false],
  ])('%j on %j: %s', (pattern, text, fits) => {
    expect(wildcardMatcher(pattern)(text)).toBe(fits);
  });

  it('agrees with a regular expression', () => {
    const piece = fc.constantFrom('a', 'b', '*', '?');
    const text = fc.array(fc.constantFrom('a', 'b'), { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), text, (pieces, subject) => {
        const pattern = pieces.join('');
        const source = pattern.replaceAll('*', '.*').replaceAll('?', '.');
        expect(wildcardMatcher(pattern)(subject)).toBe(new RegExp(`^${source}$`, 's').test(subject));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes escaped text for itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => wildcardMatcher(escapeWildcards(text))(text)),
    );
  });

  it('takes no time to speak of over what a regular expression would never end with', () => {
    expect(wildcardMatcher('*a'.repeat(40) + 'b')('a'.repeat(5_000))).toBe(false);
  });
});
