import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { wildcardMatcher } from './wildcard.ts';

describe('wildcardMatcher', () => {
  it.each([
    ['web', 'web', true],
    ['web', 'Web', false],
    ['web', 'web1', false],
    ['web*', 'web', true],
    ['*', '', true],
    ['*', 'a\nb', true],
    ['w?b', 'web', true],
    ['w?b', 'wb', false],
    ['?', '😀', true],
    ['web\\*', 'web*', true],
    ['web\\*', 'web1', false],
    ['web\\?', 'web?', true],
    ['a\\\\b*', 'a\\bc', true],
    ['a.b*', 'axb', false],
    ['[a]*', '[a]b', true],
    ['a-b*', 'a-bc', true],
  ])('%j on %j: %j', (pattern, text, matches) => {
    expect(wildcardMatcher(pattern)(text)).toBe(matches);
  });

  it('takes any text with its wildcards escaped for itself alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const pattern = text.replace(/[*?\\]/g, '\\$&');
        expect(wildcardMatcher(pattern)(text)).toBe(true);
        expect(wildcardMatcher(pattern)(`${text}x`)).toBe(false);
        expect(wildcardMatcher(`${pattern}*`)(`${text}x`)).toBe(true);
      }),
    );
  });
});
