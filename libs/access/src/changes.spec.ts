import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EVERY_NODE, parseSelector } from '@tagplane/labels';
import { applyRoleChanges, diffRoles } from './changes.ts';
import { rolesRevision } from './revision.ts';
import type { AccessRole, StoredRole } from './role.ts';

const ROLE: AccessRole = {
  name: 'dev',
  description: '',
  allow: [{ logins: ['a', 'b'], nodeLabels: parseSelector('k=v') }],
  deny: [],
  maxLabelAgeMs: undefined,
};

const rule = fc.record({
  logins: fc.array(fc.constantFrom('a', 'b', 'a,b', '"'), { minLength: 1, maxLength: 2 }),
  nodeLabels: fc.constantFrom(
    EVERY_NODE,
    parseSelector('k=v'),
    parseSelector('k=[v, w]'),
    parseSelector('k="v,w"'),
  ),
});
const role: fc.Arbitrary<AccessRole> = fc.record({
  name: fc.constantFrom('a', 'b', 'B', 'c', 'constructor'),
  description: fc.constantFrom('', 'x'),
  allow: fc.array(rule, { maxLength: 1 }),
  deny: fc.array(rule, { maxLength: 1 }),
  maxLabelAgeMs: fc.constantFrom(undefined, 1, 2),
});
const roles = fc.uniqueArray(role, { maxLength: 4, selector: ({ name }) => name });

/** The content, by name. */
function content(set: readonly AccessRole[]): unknown {
  return new Map(set.map((each) => [each.name, JSON.parse(JSON.stringify(each)) as unknown]));
}

describe('rolesRevision', () => {
  it('is the same on every process and in every release', () => {
    expect(rolesRevision([ROLE])).toBe('0c5de6928bed19852cc127ecc2fd20dd');
  });

  it('of no roles is empty', () => {
    expect(rolesRevision([])).toBe('');
  });

  it('leaves out what the store adds', () => {
    const stored: StoredRole = { ...ROLE, revision: 7, updatedBy: 'operator/a', updatedAt: 8 };
    expect(rolesRevision([stored])).toBe(rolesRevision([ROLE]));
  });

  it.each<[string, Partial<AccessRole>]>([
    ['the name', { name: 'de' }],
    ['the description', { description: 'x' }],
    ['an age', { maxLabelAgeMs: 1 }],
    ['the effect', { allow: [], deny: ROLE.allow }],
    ['logins', { allow: [{ ...ROLE.allow[0], logins: ['a,b'], nodeLabels: parseSelector('k=v') }] }],
    ['a selector', { allow: [{ logins: ['a', 'b'], nodeLabels: parseSelector('k=[v]') }, ...ROLE.allow] }],
  ])('tells apart by %s', (_, change) => {
    expect(rolesRevision([{ ...ROLE, ...change }])).not.toBe(rolesRevision([ROLE]));
  });

  it('is of the content, whatever the order', () => {
    let equal = 0;
    fc.assert(
      fc.property(roles, roles, (a, b) => {
        expect(rolesRevision(a.toReversed())).toBe(rolesRevision(a));
        const same =
          JSON.stringify([...(content(a) as Map<string, unknown>)].sort()) ===
          JSON.stringify([...(content(b) as Map<string, unknown>)].sort());
        if (same) equal += 1;
        expect(rolesRevision(a) === rolesRevision(b)).toBe(same);
      }),
      { numRuns: 2000 },
    );
    expect(equal).toBeGreaterThan(10);
  });
});

describe('diffRoles', () => {
  it('has what differs, ordered by name', () => {
    const other = (name: string, description = ''): AccessRole => ({ ...ROLE, name, description });
    const base = [other('d'), other('b'), other('c'), other('a')];
    const next = [other('e'), other('c', 'new'), other('B'), other('d')];
    const { put, removed } = diffRoles(base, next);
    expect(put.map(({ name }) => name)).toEqual(['B', 'c', 'e']);
    expect(removed).toEqual(['a', 'b']);
    expect(applyRoleChanges(base, { put, removed }).map(({ name }) => name)).toEqual(['B', 'c', 'd', 'e']);
  });

  it('applied to the one makes the other', () => {
    fc.assert(
      fc.property(roles, roles, (base, next) => {
        const changes = diffRoles(base, next);
        const made = applyRoleChanges(base, changes);
        expect(content(made)).toEqual(content(next));
        expect(rolesRevision(made)).toBe(rolesRevision(next));
        expect(diffRoles(made, next)).toEqual({ put: [], removed: [] });
        for (const { name } of changes.put) expect(changes.removed).not.toContain(name);
      }),
      { numRuns: 2000 },
    );
  });

  it('removes a role that is not there without a word', () => {
    expect(applyRoleChanges([ROLE], { put: [], removed: ['nobody'] })).toEqual([ROLE]);
  });
});
