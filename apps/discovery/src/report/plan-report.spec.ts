import { describe, expect, it } from '@jest/globals';
import { MINUTE, SECOND } from '@tagplane/runtime';
import type { ScopeStatus } from '../estate/scope-status.ts';
import { MAX_SCOPES, planReport } from './plan-report.ts';
import type { Said } from './plan-report.ts';
import { statusOf } from '../testing/scope-status.ts';

const NOW = 100 * MINUTE;
const said = (status: ScopeStatus, age: number): ReadonlyMap<string, Said> =>
  new Map([[status.id, { status, at: NOW - age }]]);
const ids = (
  statuses: readonly ScopeStatus[],
  before: ReadonlyMap<string, Said>,
  startedAt = 0,
): string[] | undefined => planReport(statuses, before, { now: NOW, startedAt })?.scopes.map(({ id }) => id);

describe('what is said of a scope', () => {
  const ok = statusOf({ id: 'a', state: 'ok', instances: 3 });
  it.each<[string, ScopeStatus, ReadonlyMap<string, Said>, boolean]>([
    ['is said when it is new', ok, new Map(), true],
    ['is not said again while it stays so', ok, said(ok, 10 * MINUTE - 1), false],
    ['is said again after ten minutes', ok, said(ok, 10 * MINUTE), true],
    [
      'is said when its state changes',
      { ...ok, state: 'failing', problem: 'denied' },
      said(ok, SECOND),
      true,
    ],
    [
      'is said when the problem is another',
      { ...ok, problem: 'gone' },
      said({ ...ok, problem: 'denied' }, 0),
      true,
    ],
    ['is said when instances came', { ...ok, instances: 4 }, said(ok, SECOND), true],
    ['waits with mere figures', { ...ok, requests: 9, quotaUsed: 0.1 }, said(ok, MINUTE - 1), false],
    ['waits a minute with them', { ...ok, requests: 9 }, said(ok, MINUTE), true],
    ['is not said for a look that changed nothing', { ...ok }, said(ok, 9 * MINUTE), false],
  ])('%s', (_name, status, before, due) => {
    expect(ids([status], before)).toEqual(due ? ['a'] : undefined);
  });

  it('by the leader before stands until a scan here has ended, or for a minute', () => {
    const pending = statusOf({ id: 'a', state: 'pending' });
    expect(ids([pending], new Map(), NOW - MINUTE + 1)).toBeUndefined();
    expect(ids([pending], new Map(), NOW - MINUTE)).toEqual(['a']);
    expect(ids([{ ...pending, state: 'ok' }], new Map(), NOW)).toEqual(['a']);
  });
});

describe('a report', () => {
  it('tells of scopes that are no more', () => {
    const gone = statusOf({ id: 'gone' });
    expect(planReport([], said(gone, SECOND), { now: NOW, startedAt: 0 })).toEqual({
      scopes: [],
      removed: ['gone'],
    });
  });

  it('holds a request’s worth, and what was said longest ago goes first', () => {
    const many = Array.from({ length: MAX_SCOPES + 10 }, (_, index) =>
      statusOf({ id: `s${index}`, state: 'ok' }),
    );
    const before = new Map<string, Said>();
    const first = ids(many, before);
    expect(first).toHaveLength(MAX_SCOPES);
    for (const id of first ?? []) before.set(id, { status: statusOf({ id, state: 'failing' }), at: NOW });
    const second = ids(many, before) ?? [];
    expect(second).toHaveLength(MAX_SCOPES);
    expect(second.slice(0, 10)).toEqual(many.slice(MAX_SCOPES).map(({ id }) => id));
  });
});
