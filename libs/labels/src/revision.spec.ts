import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { equalLabels } from './labels.ts';
import { labelsRevision } from './revision.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 4 }),
  // What a careless encoding would run together.
  fc.constantFrom('', '"', '","', '\\', '\\ud800', '\ud800', ',', '=', '\n', '__proto__', 'a', 'ab', 'b'),
);
const labels = fc.array(fc.tuple(text, text), { maxLength: 6 }).map((entries) => new Map(entries));

describe('labelsRevision', () => {
  it('is the same on every process and in every release', () => {
    expect(labelsRevision(new Map([['aws/Name', 'web-1']]))).toBe('99ddf3a6e24bb9e603a85a722de7c8d9');
  });

  it('of the empty set is empty, of any other 32 hexadecimal digits', () => {
    expect(labelsRevision(new Map())).toBe('');
    expect(labelsRevision(new Map([['', '']]))).toMatch(/^[0-9a-f]{32}$/);
  });

  it('does not depend on the order of the labels', () => {
    fc.assert(
      fc.property(labels, (set) => {
        expect(labelsRevision(new Map([...set].toReversed()))).toBe(labelsRevision(set));
      }),
    );
  });

  it('tells sets apart exactly when they differ', () => {
    fc.assert(
      fc.property(labels, labels, (a, b) => {
        expect(labelsRevision(a) === labelsRevision(b)).toBe(equalLabels(a, b));
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, [string, string][], [string, string][]]>([
    ['a key for a value', [['a', 'b']], [['b', 'a']]],
    ['text moved from the key to the value', [['ab', '']], [['a', 'b']]],
    ['an empty value and no label', [['a', '']], []],
    ['a lone surrogate and its escape', [['a', '\ud800']], [['a', '\\ud800']]],
    ['two labels and one with a quote', [['a', 'b'], ['c', 'd']], [['a', 'b"],["c","d']]], // prettier-ignore
    ['__proto__ and nothing', [['__proto__', 'a']], []],
  ])('tells apart %s', (_, a, b) => {
    expect(labelsRevision(new Map(a))).not.toBe(labelsRevision(new Map(b)));
  });
});
