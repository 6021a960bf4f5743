import { describe, expect, it } from '@jest/globals';
import { role } from '../testing/roles.ts';
import { RoleSets } from './role-sets.ts';

describe('the latest sets of roles', () => {
  it('are ordered by name and named by their content', () => {
    const sets = new RoleSets();
    expect(sets.current).toBeUndefined();
    expect(sets.take([role('b'), role('a')])).toBe(true);
    expect(sets.current?.roles.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(sets.take([role('a'), role('b')])).toBe(false);
    expect(sets.take([role('a'), role('b', 'root')])).toBe(true);
    expect(sets.take([])).toBe(true);
    expect(sets.current).toEqual({ revision: '', roles: [] });
  });

  it('are sixteen, and one that comes back is the latest', () => {
    const sets = new RoleSets();
    const revisions = Array.from({ length: 16 }, (_, index) => {
      sets.take([role(`r${index}`)]);
      return sets.current?.revision ?? '';
    });
    const [first = '', second = ''] = revisions;
    expect(sets.get(first)?.roles).toEqual([role('r0')]);
    sets.take([role('r0')]);
    sets.take([role('new')]);
    expect(sets.get(first)).toBeDefined();
    expect(sets.get(second)).toBeUndefined();
    expect(revisions.slice(2).every((revision) => sets.get(revision) !== undefined)).toBe(true);
  });
});
