import { describe, expect, it } from '@jest/globals';
import { parseServerId } from '@tagplane/identity';
import { parseSelector } from '@tagplane/labels';
import { AssignedSet, SelectorDependencies } from '@tagplane/serverinfo';
import type { Match, ServerInfo, ServerInfoDraft } from '@tagplane/serverinfo';
import { AssignedWrites, MAX_SELECTORS, joinSelectors } from './assigned-writes.ts';

function draft(name: string, selector: string, gives: string): ServerInfoDraft {
  const match: Match = { kind: 'selector', selector: parseSelector(selector) };
  return { name, match, labels: new Map([[gives, '1']]), observedAt: undefined, ttlMs: undefined };
}

function onServer(name: string): ServerInfoDraft {
  const serverId = parseServerId('s1');
  if (serverId === undefined) throw new Error('bad fixture');
  return { ...draft(name, '*=*', 'dynamic/k'), match: { kind: 'server-id', serverId } };
}

function stored({ name, match, labels }: ServerInfoDraft, revision: number): ServerInfo {
  return { name, match, labels, observedAt: undefined, expiresAt: undefined, revision, origin: 'operator/a' };
}

const first = draft('a', 'aws/team=db', 'dynamic/k');
const second = draft('b', 'dynamic/k=1', 'dynamic/l');

function setUp(...infos: readonly ServerInfo[]) {
  const set = AssignedSet.of(infos);
  const clock = { now: 0 };
  const writes = new AssignedWrites({ set }, () => clock.now);
  return { set, clock, writes, problem: () => writes.dependencies().problem(second) };
}

describe('AssignedWrites', () => {
  it('counts what is in the index, and what was written and is not there yet', () => {
    const indexed = setUp(stored(first, 1));
    expect(indexed.problem()).toContain('"a"');
    const { writes, set, problem } = setUp();
    expect(problem()).toBeUndefined();
    writes.written(first, 5);
    expect(problem()).toContain('"a"');
    set.put(stored(first, 5));
    expect(problem()).toContain('"a"');
    // The feed has brought it: from now on only the index counts.
    set.remove('a');
    expect(problem()).toBeUndefined();
  });

  it('prefers the write to an older version in the index', () => {
    const { writes, set, problem } = setUp(stored(first, 1));
    writes.written(draft('a', 'aws/team=db', 'dynamic/other'), 5);
    expect(problem()).toBeUndefined();
    writes.written(first, 6);
    expect(problem()).toContain('"a"');
    set.put(stored(onServer('a'), 7));
    expect(problem()).toBeUndefined();
  });

  it('knows at once that one is gone, or matches by name now', () => {
    for (const end of ['deleted', 'renamed'] as const) {
      const { writes, problem } = setUp(stored(first, 1));
      if (end === 'deleted') writes.deleted(['a', 'never there']);
      else writes.written(onServer('a'), 2);
      expect(problem()).toBeUndefined();
    }
  });

  it('takes no note of what no rule is about', () => {
    const { writes, set } = setUp();
    writes.written(onServer('n'), 1);
    set.put(stored(draft('n', 'aws/team=db', 'dynamic/k'), 2));
    expect(writes.dependencies().has('n')).toBe(true);
  });

  it('forgets a write whose echo never comes', () => {
    const { writes, clock, problem } = setUp();
    writes.written(first, 5);
    clock.now = 60_000;
    expect(problem()).toContain('"a"');
    clock.now = 60_001;
    expect(problem()).toBeUndefined();
  });
});

describe('joinSelectors', () => {
  it('lets those of one batch count for each other, in their order', () => {
    const dependencies = new SelectorDependencies();
    expect(joinSelectors(dependencies, first)).toBeUndefined();
    expect(joinSelectors(dependencies, second)).toContain('"a"');
    expect(dependencies.has('b')).toBe(false);
    expect(joinSelectors(dependencies, onServer('a'))).toBeUndefined();
    expect(joinSelectors(dependencies, second)).toBeUndefined();
  });

  it('has an end, and leaves room to change what is there', () => {
    const dependencies = SelectorDependencies.of(
      Array.from({ length: MAX_SELECTORS }, (_, index) => draft(`n${index}`, 'aws/a=b', 'dynamic/k')),
    );
    expect(joinSelectors(dependencies, draft('one-more', 'aws/a=b', 'dynamic/k'))).toMatch(
      /^2000 ServerInfos/,
    );
    expect(joinSelectors(dependencies, draft('n7', 'aws/a=c', 'dynamic/k'))).toBeUndefined();
    expect(joinSelectors(dependencies, onServer('named'))).toBeUndefined();
  });
});
