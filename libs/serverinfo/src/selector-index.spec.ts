import { describe, expect, it } from '@jest/globals';
import { compileSelector, parseSelector } from '@tagplane/labels';
import fc from 'fast-check';
import { SelectorIndex } from './selector-index.ts';

function item(text: string) {
  return { compiled: compileSelector(parseSelector(text)), text };
}

type Item = ReturnType<typeof item>;

function indexOf(texts: readonly string[]): { index: SelectorIndex<Item>; items: Item[] } {
  const index = new SelectorIndex<Item>();
  const items = texts.map(item);
  for (const each of items) index.add(each);
  return { index, items };
}

const labels = (entries: Record<string, string>) => new Map(Object.entries(entries));

describe('SelectorIndex', () => {
  it.each<[string, string, Record<string, string>, Record<string, string>]>([
    ['a value', 'aws/team=db', { 'aws/team': 'db' }, { 'aws/team': 'web' }],
    ['one of several values', 'aws/team=[db, web]', { 'aws/team': 'web' }, { 'aws/team': 'ops' }],
    ['a value twice', 'aws/team=[db, db]', { 'aws/team': 'db' }, { team: 'db' }],
    ['a glob', 'aws/team=d*', { 'aws/team': 'db' }, { 'aws/team': 'web' }],
    ['an expression', 'aws/team=^d.$', { 'aws/team': 'db' }, { 'aws/team': 'dbs' }],
    ['a text with an escape', 'aws/team=a\\*b', { 'aws/team': 'a*b' }, { 'aws/team': 'axb' }],
    ['a value beside a glob', 'aws/team=[db, w*]', { 'aws/team': 'web' }, { 'aws/team': 'x' }],
    ['several terms', 'aws/n=*, aws/team=db', { 'aws/n': '', 'aws/team': 'db' }, { 'aws/team': 'db' }],
    ['the key of Object', 'aws/__proto__=x', { 'aws/__proto__': 'x' }, {}],
  ])('finds %s and nothing else, until it is removed', (_, text, held, other) => {
    const { index, items } = indexOf([text, 'aws/none=none']);
    expect(index.matching(labels(held)).map((found) => found.text)).toEqual([text]);
    expect(index.matching(labels(other))).toEqual([]);
    for (const each of items) index.remove(each);
    expect([index.size, index.matching(labels(held)), index.candidates(labels(held))]).toEqual([0, [], 0]);
  });

  it('finds those for every node, also without labels', () => {
    expect(indexOf(['*=*']).index.matching(new Map())).toHaveLength(1);
  });

  it('asks only those that could hold', () => {
    const texts = Array.from({ length: 2_000 }, (_, number) => `aws/team=t${number}, aws/env=*`);
    const { index } = indexOf([...texts, 'aws/env=p*', 'aws/other=*']);
    const held = labels({ 'aws/team': 't7', 'aws/env': 'prod' });
    expect(index.candidates(held)).toBe(2);
    expect(index.matching(held).map((found) => found.text)).toEqual([texts[7], 'aws/env=p*']);
  });

  it('finds what asking each of them finds', () => {
    const key = fc.constantFrom('aws/a', 'aws/b', 'dynamic/c');
    const value = fc.constantFrom('x', 'y', 'xy', 'x*', '*', '^x.*$', 'x\\*');
    const text = fc
      .uniqueArray(fc.tuple(key, fc.uniqueArray(value, { minLength: 1, maxLength: 3 })), {
        minLength: 1,
        maxLength: 3,
        selector: ([name]) => name,
      })
      .map((terms) => terms.map(([name, values]) => `${name}=[${values.join(', ')}]`).join(', '));
    const texts = fc.array(fc.oneof(text, fc.constant('*=*')), { maxLength: 12 });
    const held = fc.dictionary(key, fc.constantFrom('x', 'y', 'xy', 'x*', 'z', ''), { maxKeys: 3 });
    fc.assert(
      fc.property(texts, held, fc.nat(12), (all, entries, removed) => {
        const { index, items } = indexOf(all);
        for (const each of items.splice(0, removed)) index.remove(each);
        const found = new Set(index.matching(labels(entries)));
        expect(found).toEqual(new Set(items.filter(({ compiled }) => compiled.matches(labels(entries)))));
      }),
      { numRuns: 1_000 },
    );
  });
});
