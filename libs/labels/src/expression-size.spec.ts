import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { roughExpressionSize } from './expression-size.ts';

describe('roughExpressionSize', () => {
  it.each([
    ['^$', 2],
    ['a{10}', 10],
    ['a{2,10}b', 11],
    ['a{10,}', 10],
    ['a{0}', 1],
    ['(ab){10}', 20],
    ['((ab){10}c){10}', 210],
    ['[{10}]{3}', 3],
    ['[]a]{3}', 3],
    ['[^]]{3}', 3],
    ['[[:alpha:]]{3}', 3],
    ['\\p{Greek}{3}', 3],
    ['\\({3}', 3],
    ['\\Q({9}\\Ea{3}', 11],
    ['a)))', 1],
    ['(((a', 1],
    ['a{', 2],
    ['a{x}', 4],
    ['(a{1000}){1000}', 1_000_000],
    ['', 0],
  ])('of %j is %i', (expression, size) => {
    expect(roughExpressionSize(expression)).toBe(size);
  });

  it('is never far below what is compiled', () => {
    const { expression } = fc.letrec<{ expression: string; atom: string }>((tie) => ({
      atom: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom('a', '.', '[ab{2}]', '\\d', '\\{', '\\pL'),
        tie('expression').map((inner) => `(${inner})`),
      ),
      expression: fc
        .array(fc.tuple(tie('atom'), fc.constantFrom('', '', '*', '+', '?', '{3}', '{0,9}', '{20}', '|b')), {
          minLength: 1,
          maxLength: 4,
        })
        .map((parts) => parts.map((part) => part.join('')).join('')),
    }));
    fc.assert(
      fc.property(expression, (each) => {
        let compiled: RE2JS;
        try {
          compiled = RE2JS.compile(each);
        } catch {
          return; // More than it takes: no program at all.
        }
        expect(compiled.programSize()).toBeLessThanOrEqual(6 * roughExpressionSize(each) + 6);
      }),
      { numRuns: 1000 },
    );
  });
});
