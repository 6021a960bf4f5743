import { describe, expect, it } from '@jest/globals';
import { MAX_LABELS_PER_NAMESPACE } from '@tagplane/labels';
import fc from 'fast-check';
import { carryAll, compileCarryRules } from './carry-rules.ts';
import type { CarryRules } from './carry-rules.ts';

interface Rules {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly rename?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

function rules({ allow = ['*'], deny = [], rename = {}, labels = {} }: Rules): CarryRules {
  return {
    allow,
    deny,
    rename: new Map(Object.entries(rename)),
    labels: new Map(Object.entries(labels)),
  };
}

function carried(given: Rules, tags: Readonly<Record<string, string>>) {
  const { labels, rejected } = compileCarryRules(rules(given))(new Map(Object.entries(tags)));
  return {
    labels: Object.fromEntries([...labels].map(([key, value]) => [key.slice('aws/'.length), value])),
    rejected: Object.fromEntries(rejected.map(({ key, reason }) => [key, reason])),
  };
}

describe('the rules for carrying tags', () => {
  it.each<[string, Rules, Record<string, string>, Record<string, string>, Record<string, string>]>([
    ['none', {}, { a: '1', b: '2' }, { a: '1', b: '2' }, {}],
    [
      'allow',
      { allow: ['a', 'team*'] },
      { a: '1', teams: '2', b: '3' },
      { a: '1', teams: '2' },
      { b: 'import.allow does not have it' },
    ],
    [
      'deny beats allow',
      { allow: ['a*'], deny: ['*secret*', 'x'] },
      { a: '1', 'a-secret': 's', x: '' },
      { a: '1' },
      { 'a-secret': 'import.deny has "*secret*"', x: 'import.deny has "x"' },
    ],
    ['nothing is allowed', { allow: [] }, { a: '1' }, {}, { a: 'import.allow does not have it' }],
    ['rename', { rename: { 'Old Key': 'new' } }, { 'Old Key': '1', b: '2' }, { new: '1', b: '2' }, {}],
    [
      'rename comes after allow and deny, by the tag’s own name',
      { deny: ['new'], rename: { old: 'new' } },
      { old: '1', new: '2' },
      { new: '1' },
      { new: 'import.deny has "new"' },
    ],
    [
      'a tag’s own name beats another’s new one',
      { rename: { a: 'z' } },
      { a: 'renamed', z: 'own' },
      { z: 'own' },
      { a: 'another tag is called "z" already' },
    ],
    [
      'of two new names the first key’s',
      { rename: { c: 'z', b: 'z' } },
      { c: 'late', b: 'early' },
      { z: 'early' },
      { c: 'another tag is called "z" already' },
    ],
    ['two change places', { rename: { a: 'b', b: 'a' } }, { a: '1', b: '2' }, { b: '1', a: '2' }, {}],
    [
      'labels beat tags of their name, renamed ones too',
      { labels: { site: 'fra' }, rename: { old: 'site' } },
      { site: 'tag', old: 'x', a: '1' },
      { site: 'fra', a: '1' },
      { site: 'labels has a "site" of its own', old: 'labels has a "site" of its own' },
    ],
    ['labels without a tag', { labels: { site: 'fra' }, allow: [] }, {}, { site: 'fra' }, {}],
    ['__proto__ is a name like any', { rename: { p: '__proto__x' } }, { p: '1' }, { __proto__x: '1' }, {}],
  ])('%s', (_, given, tags, labels, rejected) => {
    expect(carried(given, tags)).toEqual({ labels, rejected });
  });

  it('keep their labels when there are more tags than labels', () => {
    const tags = Object.fromEntries(
      Array.from({ length: MAX_LABELS_PER_NAMESPACE }, (_, n) => [`t${String(n).padStart(2, '0')}`, 'v']),
    );
    const { labels, rejected } = carried({ labels: { a: '1', b: '2' } }, tags);
    expect(Object.keys(labels)).toHaveLength(MAX_LABELS_PER_NAMESPACE);
    expect(labels).toMatchObject({ a: '1', b: '2' });
    expect(Object.keys(rejected)).toEqual(['t48', 't49']);
  });

  it('keep one list for instances that lose the same tags', () => {
    const carry = compileCarryRules(rules({ deny: ['a'] }));
    const tags = new Map([['a', '1']]);
    expect(carry(tags).rejected).toBe(carry(new Map(tags)).rejected);
    expect(carryAll(tags).rejected).toBe(carryAll(tags).rejected);
  });

  it('lose no tag silently, and say the same of the same tags in any order', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const given = fc.record({
      allow: fc.array(fc.constantFrom('*', 'a*', 'b', 'c'), { maxLength: 3 }),
      deny: fc.array(fc.constantFrom('a', 'e', '?'), { maxLength: 1 }),
      rename: fc.dictionary(name, name),
      labels: fc.dictionary(name, fc.constant('label')),
    });
    const tags = fc.uniqueArray(fc.tuple(name, fc.string({ maxLength: 3 })), { selector: ([key]) => key });
    fc.assert(
      fc.property(given, tags, (some, entries) => {
        const carry = compileCarryRules(rules(some));
        const { labels, rejected } = carry(new Map(entries));
        const own = Object.keys(some.labels).length;
        expect(labels.size - own + rejected.length).toBe(entries.length);
        const turned = carry(new Map(entries.toReversed()));
        expect(new Map(turned.labels)).toEqual(new Map(labels));
        expect(new Set(turned.rejected)).toEqual(new Set(rejected));
      }),
    );
  });
});
