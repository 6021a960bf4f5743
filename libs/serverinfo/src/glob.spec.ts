import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_GLOB_CHARACTERS, compileGlob } from './glob.ts';

describe('a glob', () => {
  it.each([
    ['*', '', true],
    ['*', 'anything at all', true],
    ['', '', true],
    ['', 'x', false],
    ['secret*', 'secret', true],
    ['secret*', 'secret/key', true],
    ['secret*', 'a secret', false],
    ['*secret', 'a secret', true],
    ['a*b*c', 'aXbYbZc', true],
    ['a*b*c', 'acb', false],
    ['a**c', 'ac', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a?c', 'a🦊c', true],
    ['?', '', false],
    ['*?', 'x', true],
    ['a.c', 'abc', false],
    ['[ab]', 'a', false],
    ['Name', 'name', false],
    ['a*', 'b', false],
    ['*a', 'aab', false],
  ])('%j has %j: %s', (pattern, text, expected) => {
    expect(compileGlob(pattern)(text)).toBe(expected);
  });

  it('says what the same pattern says as a regular expression', () => {
    const unit = fc.constantFrom('a', 'b', '*', '?', '.');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 8 }), fc.string({ unit, maxLength: 10 }), (pattern, text) => {
        const expression = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        expect(compileGlob(pattern)(text)).toBe(new RegExp(`^${expression}$`, 's').test(text));
      }),
    );
  });

  it('ends soon on the worst of patterns', () => {
    const matches = compileGlob(`${'*a'.repeat(MAX_GLOB_CHARACTERS / 2)}b`);
    expect(matches('a'.repeat(100_000))).toBe(false);
  });
});
