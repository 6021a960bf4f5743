import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Labels } from './labels.ts';
import { NO_LABELS, equalLabels, sortedEntries } from './labels.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '', 'a', 'b'),
);
const labels = fc.array(fc.tuple(text, text), { maxLength: 8 }).map((entries) => new Map(entries));

function shuffled(entries: Labels, by: readonly number[]): Labels {
  const ranked = [...entries].map((entry, index) => ({ entry, rank: by[index] ?? 0 }));
  return new Map(ranked.toSorted((a, b) => a.rank - b.rank).map(({ entry }) => entry));
}

describe('sortedEntries', () => {
  it('orders by UTF-16 code unit, in every locale alike', () => {
    const keys = ['b', 'ä', 'Z', 'a', '', 'aws/b', 'aws/B', '\uff5e', '🚀', '__proto__', '10', '9'];
    expect(sortedEntries(new Map(keys.map((key) => [key, 'v']))).map(([key]) => key)).toEqual([
      ...['', '10', '9', 'Z', '__proto__', 'a', 'aws/B', 'aws/b', 'b', 'ä', '🚀', '\uff5e'],
    ]);
  });

  it('keeps every entry, whatever order they were put in, and leaves the set alone', () => {
    fc.assert(
      fc.property(labels, fc.array(fc.nat(), { minLength: 8 }), (set, ranks) => {
        const before = [...set];
        const sorted = sortedEntries(set);
        expect([...set]).toEqual(before);
        expect(new Map(sorted)).toEqual(set);
        expect(sortedEntries(shuffled(set, ranks))).toEqual(sorted);
        for (const [index, [key]] of sorted.entries()) {
          if (index > 0) expect((sorted[index - 1]?.[0] ?? '') < key).toBe(true);
        }
      }),
    );
  });
});

describe('equalLabels', () => {
  it.each<[string, Labels, Labels, boolean]>([
    ['nothing and nothing', NO_LABELS, new Map(), true],
    ['nothing and something', NO_LABELS, new Map([['a', '']]), false],
    ['a value that differs', new Map([['a', '1']]), new Map([['a', '2']]), false],
    ['a key that differs', new Map([['a', '1']]), new Map([['b', '1']]), false],
    ['a key that differs, its value empty', new Map([['a', '']]), new Map([['b', '']]), false],
    ['a key inherited by objects', new Map([['toString', '']]), new Map([['x', '']]), false],
    ['__proto__ and itself', new Map([['__proto__', 'a']]), new Map([['__proto__', 'a']]), true],
    ['__proto__ and nothing', new Map([['__proto__', 'a']]), NO_LABELS, false],
  ])('%s', (_, a, b, expected) => {
    expect(equalLabels(a, b)).toBe(expected);
    expect(equalLabels(b, a)).toBe(expected);
  });

  it('holds for the same entries in any order, and only for them', () => {
    fc.assert(
      fc.property(labels, labels, fc.array(fc.nat(), { minLength: 8 }), (a, b, ranks) => {
        expect(equalLabels(a, shuffled(a, ranks))).toBe(true);
        expect(equalLabels(a, b)).toBe(JSON.stringify(sortedEntries(a)) === JSON.stringify(sortedEntries(b)));
      }),
    );
  });
});
