import { describe, expect, it } from '@jest/globals';
import { parseServerId } from '@tagplane/identity';
import type { Selector } from '@tagplane/labels';
import { SelectorDependencies } from './selector-dependencies.ts';
import type { Match } from './server-info.ts';

const serverId = parseServerId('web-1');
if (serverId === undefined) throw new Error('bad fixture');

/** `needs` are keys that its selector names, `gives` those under dynamic/ that it assigns. */
function bySelector(name: string, needs: readonly string[], gives: readonly string[]) {
  const selector: Selector = { terms: needs.map((key) => ({ key, values: ['*'] })) };
  return { name, match: { kind: 'selector', selector } as Match, labels: labels(gives) };
}

function byName(name: string, gives: readonly string[]) {
  return { name, match: { kind: 'server-id', serverId } as Match, labels: labels(gives) };
}

function labels(keys: readonly string[]): ReadonlyMap<string, string> {
  return new Map(keys.map((key) => [key, '1']));
}

const RULE = '; a selector may not depend on a label that selectors assign';

describe('SelectorDependencies', () => {
  it.each([
    ['nothing else', []],
    ['one that gives the same', [bySelector('old', ['aws/a'], ['dynamic/out'])]],
    ['one that needs the same', [bySelector('old', ['dynamic/in'], ['dynamic/other'])]],
    ['one that gives what it needs, by name', [byName('old', ['dynamic/in'])]],
    ['one for every node', [bySelector('old', ['*'], ['dynamic/other'])]],
    ['itself as it was before', [bySelector('new', ['dynamic/out'], ['dynamic/in'])]],
  ])('lets one in beside %s', (_, others) => {
    const dependencies = SelectorDependencies.of(others);
    expect(dependencies.problem(bySelector('new', ['dynamic/in', 'aws/x'], ['dynamic/out']))).toBeUndefined();
  });

  it.each([
    [
      'that depends on what another assigns',
      [bySelector('old', ['aws/a'], ['dynamic/in'])],
      `the selector of "new" depends on "dynamic/in", which "old" assigns by a selector${RULE}`,
    ],
    [
      'that assigns what another depends on',
      [bySelector('old', ['dynamic/out'], ['dynamic/other'])],
      `the selector of "old" depends on "dynamic/out", which "new" assigns by a selector${RULE}`,
    ],
    [
      'that closes a cycle',
      [bySelector('old', ['dynamic/out'], ['dynamic/in'])],
      'a cycle: the selector of "new" depends on "dynamic/in", which "old" assigns by a selector; ' +
        `the selector of "old" depends on "dynamic/out", which "new" assigns by a selector${RULE}`,
    ],
    [
      'for the first of several reasons, by key and name',
      [
        bySelector('z', ['aws/a'], ['dynamic/in']),
        bySelector('b', ['aws/a'], ['dynamic/in']),
        bySelector('a', ['dynamic/out'], []),
      ],
      `the selector of "new" depends on "dynamic/in", which "b" assigns by a selector${RULE}`,
    ],
  ])('refuses one %s', (_, others, problem) => {
    const added = bySelector('new', ['dynamic/in'], ['dynamic/out']);
    expect(SelectorDependencies.of(others).problem(added)).toBe(problem);
    expect(SelectorDependencies.of(others.toReversed()).problem(added)).toBe(problem);
  });

  it('refuses one that depends on itself', () => {
    expect(new SelectorDependencies().problem(bySelector('new', ['dynamic/k'], ['dynamic/k']))).toBe(
      `a cycle: "new" depends on "dynamic/k", which it assigns itself${RULE}`,
    );
  });

  it('does not mind what matches by name, and forgets what is gone or matches by name now', () => {
    const dependencies = SelectorDependencies.of([
      bySelector('a', ['aws/a'], ['dynamic/k']),
      byName('b', ['dynamic/k']),
    ]);
    expect([dependencies.size, dependencies.has('a'), dependencies.has('b')]).toEqual([1, true, false]);
    const added = bySelector('new', ['dynamic/k'], []);
    expect(dependencies.problem(added)).toContain('"a"');
    dependencies.put(byName('a', ['dynamic/k']));
    expect(dependencies.problem(added)).toBeUndefined();
    dependencies.put(bySelector('a', ['aws/a'], ['dynamic/k']));
    dependencies.remove('a');
    expect([dependencies.size, dependencies.problem(added)]).toEqual([0, undefined]);
    expect(dependencies.problem(byName('n', ['dynamic/k']))).toBeUndefined();
  });
});
